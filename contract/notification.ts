/** Who is told of alarms when nobody looks at the screen, as the notifier, the API and the dashboard agree on it. */
import { type Static, Type } from 'typebox'
import { ALARM_KIND_NAMES, type AlarmKind, PRIORITIES, type Priority } from './alarm.ts'

export const CHANNELS = ['webhook', 'email'] as const
export type Channel = (typeof CHANNELS)[number]
/** `waiting` is tried again until it is taken or too old. */
export const MESSAGE_STATES = ['waiting', 'sent', 'failed'] as const
export type MessageState = (typeof MESSAGE_STATES)[number]

const PriorityName = Type.Unsafe<Priority>(Type.Enum([...PRIORITIES]))
const OrNull = <T extends Parameters<typeof Type.Array>[0]>(type: T) => Type.Union([type, Type.Null()])

/** One alarm as a message tells it. */
export const ToldAlarm = Type.Object({
  id: Type.String(),
  occurrence: Type.Integer(),
  kind: Type.Unsafe<AlarmKind>(Type.Enum(ALARM_KIND_NAMES)),
  what: Type.String({ description: 'Kind, in the receiver’s language' }),
  where: Type.String({ description: 'Gate or site by its name' }),
  area: OrNull(Type.String()),
  site: OrNull(Type.String()),
  gate: OrNull(Type.String()),
  priority: PriorityName,
  active: Type.Boolean({ description: 'The condition held when the message was made' }),
  raised_at: OrNull(Type.Number({ description: 'ms since 1970 UTC' })),
  value: OrNull(Type.Number()),
  limit: OrNull(Type.Number()),
  unit: Type.String(),
})
export type ToldAlarm = Static<typeof ToldAlarm>

/** What a webhook receives, and what an e-mail says. It never changes once it is made: a second try is the same message. */
export const MessageBody = Type.Object({
  id: Type.String({ description: 'Also the header Sluice-Message; a message that comes twice has the same' }),
  step: Type.Integer({ description: '0 is the first telling, 1 and more are escalations' }),
  at: Type.Number({ description: 'ms since 1970 UTC' }),
  subject: Type.String(),
  text: Type.String(),
  total: Type.Integer({ description: 'Alarms that it tells of' }),
  priority: PriorityName,
  areas: Type.Array(OrNull(Type.String())),
  alarms: Type.Array(ToldAlarm, { description: 'The most urgent of them' }),
})
export type MessageBody = Static<typeof MessageBody>

/** Receivers and routes without addresses and secrets: who would be told of what. */
export const NotificationPlan = Type.Object({
  receivers: Type.Array(Type.Object({ name: Type.String(), channel: Type.Enum([...CHANNELS]) })),
  routes: Type.Array(
    Type.Object({
      name: Type.String(),
      areas: Type.Array(Type.String(), { description: 'Empty is every area' }),
      priority: PriorityName,
      shift: OrNull(Type.Object({ from: Type.String(), to: Type.String() })),
      to: Type.Array(Type.String()),
      escalate: Type.Array(Type.Object({ after_min: Type.Number(), to: Type.Array(Type.String()) })),
    }),
  ),
})
export type NotificationPlan = Static<typeof NotificationPlan>
