import type { Reading } from '#contract/reading.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Verdict } from '#contract/verdict.ts'
import type { Aggregate, AggregateQuery } from './aggregate.ts'
import type { Width } from './cells.ts'
import type { Slice } from './slice.ts'

export type { Aggregate, AggregateQuery } from './aggregate.ts'
export type { Correction } from './corrections.ts'

/** A value of one metric of one gate. Its identity is gate + metric + t: writing it again replaces it. */
export type Sample = {
  readonly gate: string
  readonly metric: string
  /** Source time. */
  readonly t: UnixMs
  /** When ingest received it. */
  readonly received: UnixMs
  readonly reading: Reading
  /** What validation thinks of it; none is reliable. */
  readonly verdict?: Verdict
  /** This point may already be there with another value or verdict, whatever WriteOptions say of the others. */
  readonly rewrites?: true
}

/** What the store made of a batch. `kept` may be receipted; the rest says what to do with it. */
export type WriteOutcome =
  | { readonly kind: 'kept' }
  /** Never accepted, however often we try: dead letter. Every other sample of the call is kept. */
  | { readonly kind: 'refused'; readonly samples: readonly Sample[]; readonly reason: string }
  /** Nothing may be relied on: try again. */
  | { readonly kind: 'unavailable'; readonly retryAfterMs: number; readonly cause: unknown }

export type WriteOptions = {
  /** These points may already be there with another value or quality. Our agents' batches never change; a foreign node's may. */
  readonly rewrite: boolean
}

export type RangeQuery = {
  readonly gate: string
  readonly metrics: readonly string[]
  /** Inclusive. */
  readonly from: UnixMs
  /** Exclusive. */
  readonly to: UnixMs
  /** The most buckets wanted, as many as the chart has pixels. */
  readonly points: number
}

/** Columns that share one time axis. A bucket without a drawable value holds null in all three. */
export type SeriesColumns = {
  readonly min: (number | null)[]
  readonly max: (number | null)[]
  /** Mean of the samples (not weighted by time). */
  readonly mean: (number | null)[]
  /** Samples in the bucket that are BAD or STALE. */
  readonly bad: number[]
}
export type RangeColumns = {
  /** Width of a bucket in ms; 0 when each t is a sample of its own. */
  readonly bucketMs: number
  /** Start of each bucket, ms since 1970 UTC, ascending; only buckets that hold a sample. */
  readonly t: number[]
  readonly series: Readonly<Record<string, SeriesColumns>>
}

/** Many gates through a stretch of the past, as a screen is drawn of it. */
export type PastQuery = {
  readonly gates: readonly string[]
  /** Inclusive; a whole multiple of `stepMs`. */
  readonly from: UnixMs
  /** Exclusive. */
  readonly to: UnixMs
  /** Of the samples in [from + n·stepMs, from + (n + 1)·stepMs) the newest is told. */
  readonly stepMs: number
}
/** One metric of one gate: columns of what was newest, ascending in time. */
export type PastSeries = {
  readonly gate: string
  readonly metric: string
  /** First the newest before `from`, no older than PAST_REACH_MS. A store that can't tell a thinned sample's time gives the last ms of its step. */
  readonly t: number[]
  readonly value: (number | null)[]
  /** qualityCode of contract/reading.ts. */
  readonly quality: number[]
  /** The newest GOOD before `from`; null also where it lies under a BAD that was written over it. */
  readonly good: { readonly t: number; readonly value: number } | null
  /** Samples in the hour before `from`: how often the metric was told then. */
  readonly hourBefore: number
}
/** A value that nothing has replaced for longer is not told of the past. */
export const PAST_REACH_MS = 7 * 86_400_000

/** The oldest time that is kept, by tier, ms since 1970 UTC; 0 keeps all. Days go with hours. */
export type KeepFrom = { readonly samples: number; readonly minutes: number; readonly hours: number }

/** Roll-ups of one width, one gate and one metric. */
export type RollUpsOf = { readonly gate: string; readonly metric: string; readonly width: Width }

export interface History {
  /** Resolves when the samples are on the store's disk (or refused, or not): see WriteOutcome. Does not throw for what the store says. */
  write(samples: readonly Sample[], options: WriteOptions): Promise<WriteOutcome>
  /** The newest sample of each metric of these gates. @throws Fault HISTORY_UNREACHABLE */
  latest(gates: readonly string[]): Promise<Sample[]>
  /** Samples in [from, to), raw where no more than `points` would be drawn, else min/max/mean by bucket. @throws Fault HISTORY_UNREACHABLE */
  range(query: RangeQuery): Promise<RangeColumns>
  /** Metrics of which something is known in that stretch or before it. @throws Fault HISTORY_UNREACHABLE */
  past(query: PastQuery): Promise<PastSeries[]>
  /**
   * For each gate that was asked for, one aggregate a period. Exact whatever the order in which samples came: a roll-up is used only where it holds all of
   * them. @throws Fault HISTORY_UNREACHABLE, RangeError for edges that do not ascend
   */
  aggregate(query: AggregateQuery): Promise<ReadonlyMap<string, readonly Aggregate[]>>
  /** Every sample of a gate in [from, to), by time. @throws Fault HISTORY_UNREACHABLE */
  samples(query: Omit<RangeQuery, 'points'>): AsyncIterable<Sample>
  /**
   * Brings roll-ups up to date for windows that ended before `before` (ms since 1970 UTC) and that samples have touched. Questions are answered exactly
   * without it, only more slowly. @throws Fault HISTORY_UNREACHABLE
   */
  rollUp(before: number): Promise<void>
  /** Ends the keeping of what is older, tier by tier; samples older than that are refused from then on. @throws Fault HISTORY_UNREACHABLE */
  expire(keepFrom: KeepFrom): Promise<void>
  /** Every gate and every metric of which something is kept; not each gate has each metric. @throws Fault HISTORY_UNREACHABLE */
  contents(): Promise<{ readonly gates: string[]; readonly metrics: string[] }>
  /**
   * By time, the roll-ups of windows that ended by `before` (ms since 1970 UTC): what is still told of samples that are no longer kept.
   * @throws Fault HISTORY_UNREACHABLE
   */
  rollUps(of: RollUpsOf, before: number): AsyncIterable<Slice>
  /** Puts roll-ups back whose samples are not kept. Durable when it resolves. @throws Fault HISTORY_UNREACHABLE */
  putRollUps(of: RollUpsOf, slices: readonly Slice[]): Promise<void>
  /** Bytes on the store's disk; null where it does not tell. @throws Fault HISTORY_UNREACHABLE */
  storageBytes(): Promise<number | null>
  /** Resolves when the store answers. @throws Fault HISTORY_UNREACHABLE */
  ready(): Promise<void>
  close(): Promise<void>
}

/** The bucket width in ms for a query, 0 for raw: whole "nice" steps, so that panning does not shift the buckets. */
export function bucketMsFor(query: Pick<RangeQuery, 'from' | 'to' | 'points'>, sampleCount: number): number {
  if (sampleCount <= query.points) return 0
  const wanted = (query.to - query.from) / Math.max(1, query.points)
  return NICE_BUCKETS_MS.find((ms) => ms >= wanted) ?? Math.ceil(wanted / DAY_MS) * DAY_MS
}
const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const NICE_BUCKETS_MS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR_MS),
  DAY_MS,
]
