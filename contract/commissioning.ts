import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { ID_PATTERN } from './topics.ts'

/** What an engineer signs at the site: the gauge by eye against the sensor, and how each leaf travels. It is kept at the site and at the center. */

const closed = { additionalProperties: false } as const
const Seconds = Type.Number({ minimum: 0, maximum: 86_400 })

export const GaugeComparison = Type.Object(
  {
    metric: Type.String({ minLength: 1, maxLength: 40 }),
    /** By eye, in the unit of the metric. */
    gauge: Type.Number(),
    /** What the agent read at that moment; null where it had no GOOD reading. */
    read: Type.Union([Type.Number(), Type.Null()]),
  },
  closed,
)
export type GaugeComparison = Static<typeof GaugeComparison>

export const STROKE_ENDS = ['arrived', 'stopped', 'no_movement', 'stalled', 'too_slow', 'lost', 'refused'] as const
export type StrokeEnd = (typeof STROKE_ENDS)[number]
export const Stroke = Type.Object(
  {
    /** From 1. */
    leaf: Type.Integer({ minimum: 1, maximum: 99 }),
    at: Type.Number({ description: 'Start, ms since 1970 UTC' }),
    from_m: Type.Number(),
    to_m: Type.Number(),
    reached_m: Type.Number(),
    travel_s: Seconds,
    end: Type.Enum([...STROKE_ENDS]),
  },
  closed,
)
export type Stroke = Static<typeof Stroke>

export const CommissioningRecord = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    structure: Type.String({ pattern: ID_PATTERN }),
    at: Type.Number({ description: 'ms since 1970 UTC, by the clock of the site' }),
    by: Type.String({ minLength: 1, maxLength: 100, description: 'Who signs' }),
    note: Type.String({ maxLength: 2000 }),
    profile: Type.String({ maxLength: 200 }),
    agent_version: Type.String({ maxLength: 64 }),
    /** Every metric as it was read: a number, or the reason why there is none. */
    readings: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String({ maxLength: 60 })])),
    gauges: Type.Array(GaugeComparison, { maxItems: 40 }),
    strokes: Type.Array(Stroke, { maxItems: 200 }),
  },
  closed,
)
export type CommissioningRecord = Static<typeof CommissioningRecord>

export const encodeRecordText = (record: CommissioningRecord): string => JSON.stringify(record)

/** @returns undefined for what is not a record: nothing is stored of it. */
export function decodeRecordText(text: string): CommissioningRecord | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(CommissioningRecord, value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
