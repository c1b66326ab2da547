import { type Static, Type } from 'typebox'
import { PageQuery, paged } from '../http.ts'

/** What the API says of the audit trail: who did what when. */
const Ms = Type.Number({ description: 'ms since 1970 UTC' })
const Named = Type.String({ minLength: 1, maxLength: 100 })

export const AuditEntryView = Type.Object({
  id: Type.Integer(),
  at: Ms,
  who: Type.String({ description: 'A sign-in name, LOGIN:TOKEN, `agent SITE`, `center`, or what a stranger typed' }),
  action: Type.String(),
  subject: Type.String(),
  details: Type.Record(Type.String(), Type.Unknown()),
  hash: Type.Union([Type.Null(), Type.String()], { description: 'With that of the entry before; null before there was a chain' }),
})
export type AuditEntryView = Static<typeof AuditEntryView>
export const AuditList = paged(AuditEntryView)
export type AuditList = Static<typeof AuditList>

const filters = {
  who: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Tokens of this person too' })),
  gate: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'What was done with it, and what names it' })),
  kind: Type.Optional(Type.String({ pattern: '^[a-z_]{1,40}$', description: 'The part of the action before the dot, as `command`' })),
  action: Type.Optional(Named),
  subject: Type.Optional(Named),
  from: Type.Optional(Type.Integer({ minimum: 0, maximum: 8.64e15, description: 'ms since 1970 UTC, inclusive' })),
  to: Type.Optional(Type.Integer({ minimum: 0, maximum: 8.64e15, description: 'ms since 1970 UTC, exclusive' })),
}
export const AuditQuery = Type.Object({ ...PageQuery.properties, ...filters })
export const AuditExportQuery = Type.Object({
  ...filters,
  format: Type.Union([Type.Literal('csv'), Type.Literal('jsonl')], {
    default: 'csv',
    description: 'jsonl holds each entry as it is hashed; csv is for a spreadsheet',
  }),
})
export type AuditAsk = Omit<Static<typeof AuditQuery>, 'limit' | 'offset'>
