import { type Static, Type } from 'typebox'
import { Grant, paged } from '../http.ts'

/** What the API says of people, their second factors, sessions and tokens. A secret stands in the one reply that makes it, and in no other. */
const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(type: T) => Type.Union([type, Type.Null()])
const Ms = Type.Number({ description: 'ms since 1970 UTC' })
/** No colon, which stands between a person and a token where the trail names both. */
export const LOGIN_PATTERN = '^[a-z0-9][a-z0-9._-]{0,39}$'
const Login = Type.String({
  pattern: LOGIN_PATTERN,
  description: 'Small letters, digits, dot, underscore and hyphen; it never changes, since the trail names people by it',
})
const Name = Type.String({ minLength: 1, maxLength: 60, pattern: '\\S' })
const Password = Type.String({ minLength: 1, maxLength: 200 })

export const PersonView = Type.Object({
  id: Type.String(),
  login: Type.String(),
  name: Type.String(),
  grants: Type.Array(Grant),
  disabled_at: Nullable(Ms),
  must_change_password: Type.Boolean(),
  locked_until: Nullable(Ms),
  second_factor_at: Nullable(Ms),
})
export type PersonView = Static<typeof PersonView>
export const PersonList = paged(PersonView)
export type PersonList = Static<typeof PersonList>

export const NewPerson = Type.Object(
  { login: Login, name: Name, grants: Type.Array(Grant, { maxItems: 50 }) },
  { additionalProperties: false },
)
export type NewPerson = Static<typeof NewPerson>
export const ChangePerson = Type.Object(
  {
    name: Type.Optional(Name),
    grants: Type.Optional(Type.Array(Grant, { maxItems: 50 })),
    disabled: Type.Optional(Type.Boolean({ description: 'Ends the sessions; tokens are refused while it holds' })),
  },
  { additionalProperties: false, minProperties: 1 },
)
export type ChangePerson = Static<typeof ChangePerson>
export const FirstPassword = Type.Object({
  person: PersonView,
  first_password: Type.String({ description: 'Shown this once; whoever signs in with it must change it' }),
})
export type FirstPassword = Static<typeof FirstPassword>

export const Account = Type.Object({
  login: Type.String(),
  name: Type.String(),
  grants: Type.Array(Grant),
  second_factor: Type.Object({
    required: Type.Boolean({ description: 'Gates are commanded only with one' }),
    confirmed_at: Nullable(Ms),
    used: Type.Boolean({ description: 'This session has given a code' }),
    recovery_codes_left: Type.Integer(),
  }),
})
export type Account = Static<typeof Account>

export const ChangePassword = Type.Object({ current: Password, next: Password }, { additionalProperties: false })
export const PasswordAgain = Type.Object({ password: Password }, { additionalProperties: false })
export const ProposedFactor = Type.Object({
  secret: Type.String({ description: 'Base32, for typing it in' }),
  uri: Type.String({ description: 'otpauth:// for the QR code' }),
})
export type ProposedFactor = Static<typeof ProposedFactor>
export const ConfirmFactor = Type.Object({ code: Type.String({ pattern: '^\\d{6}$' }) }, { additionalProperties: false })
export const RecoveryCodes = Type.Object({
  recovery_codes: Type.Array(Type.String(), { description: 'Shown this once; each is good once' }),
})
export type RecoveryCodes = Static<typeof RecoveryCodes>

export const SessionView = Type.Object({
  id: Type.String(),
  current: Type.Boolean(),
  created_at: Ms,
  expires_at: Ms,
  ip: Nullable(Type.String()),
  agent: Nullable(Type.String({ description: 'What the browser calls itself' })),
  second_factor: Type.Boolean(),
})
export type SessionView = Static<typeof SessionView>
export const SessionList = Type.Object({ items: Type.Array(SessionView) })

export const TOKEN_SCOPES = [
  'read',
  'register',
  'read_dead_letters',
  'analyse',
  'enter_readings',
  'operate_alarms',
  'set_alarm_rules',
] as const
export type TokenScope = (typeof TOKEN_SCOPES)[number]
const Scope = Type.Unsafe<TokenScope>(Type.Enum([...TOKEN_SCOPES]))
export const TokenView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  scopes: Type.Array(Type.String()),
  area: Nullable(Type.String()),
  created_at: Ms,
  expires_at: Ms,
  used_at: Nullable(Ms),
})
export type TokenView = Static<typeof TokenView>
export const TokenList = Type.Object({ items: Type.Array(TokenView) })
export const NewToken = Type.Object(
  {
    name: Type.String({ pattern: LOGIN_PATTERN, description: 'The trail names it as LOGIN:NAME' }),
    scopes: Type.Array(Scope, { minItems: 1, maxItems: TOKEN_SCOPES.length, uniqueItems: true, description: '`read` is in each' }),
    // Null first, as in Grant.
    area: Type.Union([Type.Null(), Type.String({ maxLength: 64 })], { description: 'null: wherever the person may' }),
    days: Type.Integer({ minimum: 1, maximum: 366 }),
    password: Password,
  },
  { additionalProperties: false },
)
export type NewToken = Static<typeof NewToken>
export const MadeToken = Type.Object({
  view: TokenView,
  token: Type.String({ description: 'Shown this once; sent as Authorization: Bearer' }),
})
export type MadeToken = Static<typeof MadeToken>
