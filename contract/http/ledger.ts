import { type Static, Type } from 'typebox'

export const LEDGER_KINDS = ['live', 'late', 'imported', 'missing', 'lost', 'corrected'] as const
const Time = Type.Union([Type.Number(), Type.Null()])

export const LedgerEntry = Type.Object({
  kind: Type.Enum([...LEDGER_KINDS], {
    description:
      'live, late (arrived long after it was read), imported (from a file), missing (nothing came, yet), lost (the agent says so), corrected (an analyst ruled)',
  }),
  gate: Type.Union([Type.String(), Type.Null()], { description: 'null where the agent no longer knows whose readings were lost' }),
  from: Type.Number({ description: 'Source time, ms since 1970 UTC' }),
  to: Type.Number({ description: 'Of the last reading, inclusive' }),
  readings: Type.Union([Type.Integer(), Type.Null()], { description: 'live, late and imported: readings; lost: the agent’s own count' }),
  received_from: Time,
  received_to: Time,
  note: Type.String(),
})
export type LedgerEntry = Static<typeof LedgerEntry>
export const SpanQuery = Type.Object({
  from: Type.Integer({ minimum: 0, description: 'ms since 1970 UTC, inclusive' }),
  to: Type.Integer({ maximum: 8.64e15, description: 'ms since 1970 UTC, exclusive' }),
})
export const LedgerReply = Type.Object({ site: Type.String(), from: Type.Number(), to: Type.Number(), entries: Type.Array(LedgerEntry) })
export type LedgerReply = Static<typeof LedgerReply>
