import { addSpan, cellsOf, DAY_MS, HOUR_MS, type Level, MINUTE_MS, type OfGates, type SliceSource } from './cells.ts'
import { type Bucket, columnsOf } from './columns.ts'
import { bucketMsFor, type RangeColumns, type RangeQuery } from './port.ts'
import { type DrawnSlice, sliceOfSample } from './slice.ts'
import { type Span, wholeSpan } from './span.ts'

export type ChartSource = SliceSource<DrawnSlice> & {
  /** Roll-ups by the minute, of hours that have them. */
  readonly minutesOf: (of: OfGates) => Promise<ReadonlyMap<string, readonly DrawnSlice[]>>
  /** From the samples: each where no more than `points` would be drawn, else bucketed by the store. */
  readonly fromSamples: (query: RangeQuery) => Promise<RangeColumns>
  /** Older ones are no longer kept. */
  readonly samplesFrom: () => number
}

/** A shorter span is asked of the samples right away. */
const ROLLED_UP_FROM_MS = 2 * DAY_MS
/** The store buckets as many samples itself faster than it hands out roll-ups by the minute. */
const MINUTES_FROM_SAMPLES = 50_000
/** An hour with no more samples has no roll-ups by the minute: they would be as many as its samples. */
export const MINUTES_FROM_COUNT = 120

/** A chart's columns at the level that its pixels need. */
export async function chartOf(source: ChartSource, query: RangeQuery): Promise<RangeColumns> {
  const span = wholeSpan(query)
  const isExpired = span.from < source.samplesFrom()
  const finest = bucketMsFor(query, Number.POSITIVE_INFINITY)
  if (!isExpired && (span.to - span.from <= ROLLED_UP_FROM_MS || finest < MINUTE_MS)) return await source.fromSamples(query)
  const bucketMs = Math.max(finest, MINUTE_MS)
  const metrics = [...new Set(query.metrics)]
  const buckets: Bucket[] = []
  let most = 0
  const found = await Promise.all(
    metrics.map((metric) => {
      const of: OfGates = { gates: [query.gate], metric, span }
      return bucketMs >= HOUR_MS ? hoursOf(source, of, bucketMs) : minutesOf(source, of)
    }),
  )
  for (const [i, metric] of metrics.entries()) {
    const slices = found[i]
    if (!slices) return await source.fromSamples(query)
    most = Math.max(
      most,
      slices.reduce((sum, s) => sum + s.count, 0),
    )
    buckets.push(...bucketsOf(slices, { metric, bucketMs }))
  }
  return most <= query.points && !isExpired ? await source.fromSamples(query) : columnsOf(buckets, { metrics, bucketMs })
}

async function hoursOf(source: ChartSource, of: OfGates, bucketMs: number): Promise<readonly DrawnSlice[]> {
  const levels: Level[] = bucketMs % DAY_MS === 0 ? [DAY_MS, HOUR_MS] : [HOUR_MS]
  const cells = await cellsOf(source, {
    ...of,
    levels,
    mayUse: () => true,
    sliceSamples: (samples) => samples.map((sample) => sliceOfSample({ sample, by: 'nothing' })),
  })
  return [...cells.values()].flat()
}

/** Null where the samples are too few for it to pay. */
async function minutesOf(source: ChartSource, of: OfGates): Promise<readonly DrawnSlice[] | null> {
  const [gate = ''] = of.gates
  const whole = { from: of.span.from - (of.span.from % HOUR_MS), to: of.span.to }
  const hours = (await source.rolledUp(HOUR_MS, { ...of, span: whole })).get(gate)
  const dense = new Map(
    (hours?.slices ?? [])
      .filter((s) => s.count > MINUTES_FROM_COUNT && !hours?.stale.has(s.from) && s.from >= of.span.from && s.from + HOUR_MS <= of.span.to)
      .map((s) => [s.from, s.count]),
  )
  const expired = source.samplesFrom()
  if (of.span.from >= expired && [...dense.values()].reduce((sum, n) => sum + n, 0) < MINUTES_FROM_SAMPLES) return null
  const minutes: DrawnSlice[] = ((await source.minutesOf(of)).get(gate) ?? []).filter((s) => dense.has(s.from - (s.from % HOUR_MS)))
  // Of an hour whose samples are gone and that has no minutes, the hour itself is what is left.
  const told = new Set(minutes.map((s) => s.from - (s.from % HOUR_MS)))
  minutes.push(...(hours?.slices ?? []).filter((s) => s.from < expired && !told.has(s.from)))
  const rest: Span[] = []
  for (let at = whole.from; at < of.span.to; at += HOUR_MS)
    if (!dense.has(at)) addSpan(rest, { from: Math.max(at, of.span.from), to: Math.min(at + HOUR_MS, of.span.to) })
  for (const span of rest) {
    const samples = (await source.samplesOf({ ...of, span })).get(gate) ?? []
    minutes.push(...samples.map((sample) => sliceOfSample({ sample, by: 'nothing' })))
  }
  return minutes
}

function bucketsOf(slices: readonly DrawnSlice[], { metric, bucketMs }: { metric: string; bucketMs: number }): Bucket[] {
  type Sum = { min: number; max: number; sum: number; drawn: number; bad: number }
  const sums = new Map<number, Sum>()
  for (const { from, min, max, sum, drawn, bad } of slices) {
    const t = from - (from % bucketMs)
    const into = sums.get(t) ?? { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, sum: 0, drawn: 0, bad: 0 }
    if (min !== null) into.min = Math.min(into.min, min)
    if (max !== null) into.max = Math.max(into.max, max)
    into.sum += sum
    into.drawn += drawn
    into.bad += bad
    sums.set(t, into)
  }
  return [...sums].map(([t, { min, max, sum, drawn, bad }]) =>
    drawn === 0 ? { t, metric, min: null, max: null, mean: null, bad } : { t, metric, min, max, mean: sum / drawn, bad },
  )
}
