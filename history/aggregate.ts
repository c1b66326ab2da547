import type { Milliseconds, UnixMs } from '#contract/units.ts'
import { milliseconds } from '#contract/units.ts'
import type { Correction } from './corrections.ts'
import { between, greatest, least, type Point, type Slice, type SummedSlice } from './slice.ts'

export type AggregateQuery = {
  readonly gates: readonly string[]
  readonly metric: string
  /** Ascending; one period from each to the next. */
  readonly edges: readonly UnixMs[]
  /** Two readings farther apart than this say nothing of the time between them: it is missing, not guessed. LONGEST_BRIDGED where not given. */
  readonly longestBridged?: Milliseconds
  readonly corrections?: readonly Correction[]
}

/** An hour: a period of days is read from the roll-ups of a day, which are built with it. */
export const LONGEST_BRIDGED: Milliseconds = milliseconds(3_600_000)

/** What one period of one metric comes to. Unreliable, BAD and STALE samples are counted and otherwise left out. */
export type Aggregate = {
  readonly from: UnixMs
  readonly to: UnixMs
  readonly count: number
  readonly bad: number
  readonly doubtful: number
  readonly unreliable: number
  readonly min: number | null
  readonly max: number | null
  /** The newest reliable value in the period. */
  readonly last: number | null
  /** Weighted by time, over what is covered and estimated. */
  readonly mean: number | null
  /** ∫value·dt over what is covered and estimated, in unit · seconds: of a flow in m³/s a volume in m³. Null where nothing is known. */
  readonly integral: number | null
  /** Half-width of the integral's interval from what is estimated alone, in unit · seconds. */
  readonly bridgingError: number
  /** These three sum to the period. */
  readonly covered: Milliseconds
  /** A straight line over a gap, over a bad reading, or to a value that an analyst put in. */
  readonly estimated: Milliseconds
  readonly missing: Milliseconds
  /** Share of the period, 0 to 1, that is covered or estimated. */
  readonly completeness: number
  /** Share of the samples, 0 to 1, that are BAD, STALE or unreliable. */
  readonly badShare: number
  /** Share of the period, 0 to 1, that is estimated. */
  readonly estimatedShare: number
}

type Sum = {
  -readonly [K in 'count' | 'bad' | 'doubtful' | 'unreliable' | 'area' | 'known' | 'estimated' | 'spread']: number
} & { min: number | null; max: number | null; last: Point | null }

/**
 * Sums slices, given by time, into periods. Give the slices next to the first and last period too, as far as a gap may be bridged: a line that crosses an
 * edge counts up to it on either side. No slice may reach over an edge.
 */
export function startFold(
  edges: readonly number[],
  longestBridgedMs: number,
): { add: (slice: SummedSlice) => void; result: () => Aggregate[] } {
  const sums = edges.slice(1).map(newSum)
  let last: Point | null = null
  let cut = false
  // Slices come by time, so the period only moves on.
  let place = 0

  const bridge = (a: Point, b: Point, isCut: boolean): void => {
    if (b.t - a.t > longestBridgedMs) return
    let i = place
    while (i > 0 && (edges[i] ?? 0) > a.t) i--
    for (; i < sums.length; i++) {
      const [begin, end, sum] = [edges[i] ?? 0, edges[i + 1] ?? 0, sums[i]]
      if (begin >= b.t || !sum) return
      const part = between(a, b, { cut: isCut, longestBridgedMs, begin, end })
      if (part) addArea(sum, part)
    }
  }
  const add = (slice: SummedSlice): void => {
    while (place < sums.length && slice.from >= (edges[place + 1] ?? 0)) place++
    const sum = slice.from >= (edges[place] ?? 0) ? sums[place] : undefined
    if (slice.first) {
      if (last) bridge(last, slice.first, cut || slice.cutBefore)
      last = slice.last
      cut = slice.cutAfter
    } else cut = true
    if (!sum) return
    sum.count += slice.count
    sum.bad += slice.bad
    sum.doubtful += slice.doubtful
    sum.unreliable += slice.unreliable
    sum.min = least(sum.min, slice.reliableMin)
    sum.max = greatest(sum.max, slice.reliableMax)
    sum.last = slice.last ?? sum.last
    addArea(sum, slice)
  }
  return { add, result: () => sums.map((sum, i) => aggregateOf(sum, edges[i] ?? 0, edges[i + 1] ?? 0)) }
}

const newSum = (): Sum => ({
  count: 0,
  bad: 0,
  doubtful: 0,
  unreliable: 0,
  area: 0,
  known: 0,
  estimated: 0,
  spread: 0,
  min: null,
  max: null,
  last: null,
})

function addArea(sum: Sum, part: Pick<Slice, 'area' | 'known' | 'estimated' | 'spread'>): void {
  sum.area += part.area
  sum.known += part.known
  sum.estimated += part.estimated
  sum.spread += part.spread
}

function aggregateOf(sum: Sum, from: number, to: number): Aggregate {
  const whole = to - from
  const { count, bad, doubtful, unreliable, known, estimated } = sum
  return {
    from: from as UnixMs,
    to: to as UnixMs,
    count,
    bad,
    doubtful,
    unreliable,
    min: sum.min,
    max: sum.max,
    last: sum.last?.v ?? null,
    mean: known > 0 ? sum.area / known : null,
    integral: known > 0 ? sum.area / 1000 : null,
    bridgingError: Math.sqrt(sum.spread) / 1000,
    covered: milliseconds(known - estimated),
    estimated: milliseconds(estimated),
    missing: milliseconds(whole - known),
    completeness: whole === 0 ? 1 : known / whole,
    badShare: count === 0 ? 0 : Math.min(1, (bad + unreliable) / count),
    estimatedShare: whole === 0 ? 0 : estimated / whole,
  }
}
