import { type Static, Type } from 'typebox'
import { metricOf } from '#contract/metrics.ts'
import { ID_PATTERN } from '#contract/topics.ts'

const closed = { additionalProperties: false } as const

const OfMetric = Type.Object(
  {
    deadband: Type.Optional(
      Type.Number({ minimum: 0, description: 'Change that is reported, in the metric’s unit; the catalogue’s where it is left out' }),
    ),
    deadband_percent: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 100,
        description: 'Change that is reported, in % of the value last reported; instead of deadband',
      }),
    ),
    silence_ms: Type.Optional(Type.Integer({ minimum: 0, description: 'Longest silence of this metric, in ms' })),
    median_reads: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 99,
        description:
          'What is reported is the median of so many readings taken last: with 1 s polls, 5 to 15 still the waves at a level gauge',
      }),
    ),
  },
  closed,
)

const Limit = Type.Object(
  {
    structure: Type.String({ pattern: ID_PATTERN, description: 'Id of the gate structure' }),
    metric: Type.String({ minLength: 1, description: 'Name in the metric catalogue' }),
    low: Type.Optional(Type.Number({ description: 'Alarm below it, in the metric’s unit' })),
    high: Type.Optional(Type.Number({ description: 'Alarm above it' })),
    near: Type.Number({
      exclusiveMinimum: 0,
      description: 'Within this of a limit, or beyond it, the bus is read at poll.fast_interval_ms',
    }),
  },
  closed,
)

export const Report = Type.Object(
  {
    silence_ms: Type.Integer({
      minimum: 0,
      default: 60_000,
      description:
        'A value that has not changed is kept and sent again at each whole multiple of this time, in ms; the center calls it STALE after three. 0 keeps every reading',
    }),
    metrics: Type.Record(Type.String(), OfMetric, { default: {}, description: 'What differs for a metric, by its name' }),
    limits: Type.Array(Limit, { default: [], description: 'Alarm limits near which it is read faster' }),
  },
  { ...closed, default: {} },
)
export type ReportSettings = Static<typeof Report>

export function mistakesInReport(report: ReportSettings, structures: readonly string[]): string[] {
  const unknown = (name: string): string[] => (metricOf(name) ? [] : [`report: ${name} is not in the metric catalogue`])
  return [
    ...Object.keys(report.metrics).flatMap(unknown),
    ...report.limits.flatMap(({ structure, metric }) => [
      ...unknown(metric),
      ...(structures.includes(structure) ? [] : [`report.limits: there is no structure ${structure}`]),
    ]),
  ]
}
