import { type Static, Type } from 'typebox'
import { PRIORITIES, type Priority } from '#contract/alarm.ts'

const Name = Type.String({ minLength: 1, maxLength: 60, description: 'Shown in the dashboard and named by routes' })
const Language = Type.Unsafe<'zh' | 'en'>(Type.Enum(['zh', 'en'], { default: 'zh', description: 'Language of its messages' }))
const Names = Type.Array(Type.String(), { minItems: 1, description: 'Names of receivers' })
const Clock = (description: string) => Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', description })

export const WebhookReceiver = Type.Object(
  {
    channel: Type.Literal('webhook'),
    name: Name,
    language: Language,
    url: Type.Optional(Type.String({ pattern: '^https?://', description: 'Address that is posted to; http:// only on this machine' })),
    url_env: Type.Optional(Type.String({ description: 'Environment variable with the address, where it holds a key' })),
    secret_env: Type.String({ description: 'Environment variable with the secret (16 characters or more) that each body is signed with' }),
  },
  { additionalProperties: false },
)
export type WebhookReceiver = Static<typeof WebhookReceiver>

export const EmailReceiver = Type.Object(
  {
    channel: Type.Literal('email'),
    name: Name,
    language: Language,
    addresses: Type.Array(Type.String({ pattern: '^[^@\\s,]+@[^@\\s,]+$' }), { minItems: 1, description: 'E-mail addresses' }),
  },
  { additionalProperties: false },
)
export type EmailReceiver = Static<typeof EmailReceiver>

export const SmtpSettings = Type.Object(
  {
    host: Type.String({ default: '', env: 'SLUICE_SMTP_HOST', description: 'Mail server; needed where a receiver is reached by e-mail' }),
    port: Type.Integer({ default: 587, minimum: 1, maximum: 65_535, description: 'Its TCP port' }),
    security: Type.Unsafe<'starttls' | 'tls' | 'none'>(
      Type.Enum(['starttls', 'tls', 'none'], { default: 'starttls', description: 'none: only to this machine' }),
    ),
    username: Type.Optional(Type.String({ env: 'SLUICE_SMTP_USERNAME', description: 'Name to sign in to the mail server with' })),
    password: Type.Optional(Type.String({ env: 'SLUICE_SMTP_PASSWORD', description: 'Its password; better given by the environment' })),
    from: Type.String({ default: 'sluice@localhost', env: 'SLUICE_SMTP_FROM', description: 'Sender’s address' }),
  },
  { additionalProperties: false, default: {} },
)

export const RouteSettings = Type.Object(
  {
    name: Name,
    areas: Type.Array(Type.String(), {
      default: [],
      description: 'Ids of areas; empty is every one. Alarms of the center go by every route',
    }),
    priority: Type.Unsafe<Priority>(Type.Enum([...PRIORITIES], { default: 'high', description: 'Least urgent priority that is told' })),
    shift: Type.Optional(
      Type.Object(
        { from: Clock('Start, HH:MM local'), to: Clock('End, HH:MM local; before the start: over midnight') },
        { additionalProperties: false },
      ),
    ),
    to: Names,
    escalate: Type.Array(
      Type.Object(
        {
          after_min: Type.Number({ exclusiveMinimum: 0, description: 'Minutes after the first telling without an acknowledgement' }),
          to: Names,
        },
        { additionalProperties: false },
      ),
      { default: [], description: 'Who is told next, while nobody acknowledges' },
    ),
  },
  { additionalProperties: false },
)
export type Route = Static<typeof RouteSettings>

export const NotifySettings = Type.Object(
  {
    gather_s: Type.Number({
      default: 15,
      minimum: 0,
      maximum: 600,
      description: 'How long a first alarm waits for others to share its message, in s',
    }),
    every_s: Type.Number({
      default: 120,
      minimum: 0,
      maximum: 86_400,
      description: 'Least time between two messages to one receiver, in s; what is more urgent than the last message does not wait',
    }),
    give_up_min: Type.Number({
      default: 720,
      exclusiveMinimum: 0,
      description: 'A message that could not be sent for so long has failed, in min',
    }),
    utc_offset_min: Type.Integer({
      default: 480,
      minimum: -720,
      maximum: 840,
      description: 'Local time of shifts and texts, in minutes ahead of UTC',
    }),
    smtp: SmtpSettings,
    receivers: Type.Array(Type.Union([WebhookReceiver, EmailReceiver], { discriminator: 'channel' }), {
      default: [],
      description: 'Who can be told',
    }),
    routes: Type.Array(RouteSettings, { default: [], description: 'Which alarms are told to whom; none: nobody is told' }),
  },
  { additionalProperties: false, default: {} },
)
export type NotifySettings = Static<typeof NotifySettings>
