import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'

export const LOSS_REASONS = ['outbox_full', 'too_old', 'damaged', 'time_unknown'] as const
export type LossReason = (typeof LOSS_REASONS)[number]

/**
 * Readings that an agent had kept and could not deliver. It travels in the node metric `Outbox/Lost` under a batch id of its own, and stays
 * on the agent's disk until the receipt for that id.
 */
export const LostRecord = Type.Object(
  {
    structure: Type.Union([Type.String(), Type.Null()], { description: 'null where the disk no longer tells whose they were' }),
    from: Type.Number({ description: 'Time of the first lost reading, ms since 1970 UTC' }),
    to: Type.Number({ description: 'Time of the last one, inclusive' }),
    readings: Type.Integer({ minimum: 0, description: 'How many were lost in it; others of the interval may be in history' }),
    why: Type.Enum([...LOSS_REASONS]),
  },
  { additionalProperties: false },
)
export type LostRecord = Static<typeof LostRecord>
const LostRecords = Type.Array(LostRecord)

export const encodeLost = (records: readonly LostRecord[]): string => JSON.stringify(records)

/** @returns undefined when the text is not what an agent sends. */
export function decodeLost(text: string): LostRecord[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(LostRecords, value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
