import { drawable } from '#contract/reading.ts'
import type { Corrected } from './corrections.ts'
import type { Sample } from './port.ts'

/** Readings farther apart than this, or with a bad one between them, tell the time between them by estimate: a straight line. */
export const ESTIMATED_BEYOND_MS = 600_000

/** A value that can be relied on, at its time. */
export type Point = { readonly t: number; readonly v: number; readonly estimated?: true }

/**
 * What a stretch of one metric comes to, so that longer stretches can be reckoned from it without its samples. The integral reaches from its first
 * reliable reading to its last; what lies between two slices is reckoned when they are joined. So a slice depends on its own samples alone, and no
 * setting of how long a gap may be bridged is baked into one that is no longer than the gap.
 */
export type Slice = {
  /** Beginning of the stretch. */
  readonly from: number
  /** Samples. */
  readonly count: number
  /** Of them BAD or STALE, doubtful, and unreliable by verdict or by an analyst. */
  readonly bad: number
  readonly doubtful: number
  readonly unreliable: number
  /** Samples that can be drawn, and of those the smallest, largest and the sum. */
  readonly drawn: number
  readonly min: number | null
  readonly max: number | null
  readonly sum: number
  /** Of what is reliable. */
  readonly reliableMin: number | null
  readonly reliableMax: number | null
  readonly first: Point | null
  readonly last: Point | null
  /** ∫value·dt from first to last, in unit · ms, over `known`. */
  readonly area: number
  /** ms from first to last of which the value is known. */
  readonly known: number
  /** Of `known` what is estimated, ms. */
  readonly estimated: number
  /** Sum of (half the change · ms)² over what is estimated: a curve that only rises or falls stays that near to the straight line. */
  readonly spread: number
  /** A sample that can't be relied on lies before the first, or after the last, reliable one. */
  readonly cutBefore: boolean
  readonly cutAfter: boolean
}

/** What is needed of a slice to draw it: a third of its columns, and a chart waits for each of them. */
export type DrawnSlice = Pick<Slice, 'from' | 'count' | 'bad' | 'drawn' | 'min' | 'max' | 'sum'>

/** What is needed of a slice to sum it. */
export type SummedSlice = Omit<Slice, 'drawn' | 'min' | 'max' | 'sum'>

/** One sample as a slice. */
export function sliceOfSample({ sample, by }: Corrected): Slice {
  const { t, reading, verdict } = sample
  const value = drawable(reading)
  const unreliable = by === 'marked-bad' || verdict?.level === 'unreliable'
  const reliable = reading.quality === 'good' && Number.isFinite(reading.value) && !unreliable
  const point: Point | null = reliable ? { t, v: reading.value, ...(by === 'replaced' ? { estimated: true as const } : {}) } : null
  return {
    from: t,
    count: 1,
    bad: reading.quality === 'good' ? 0 : 1,
    doubtful: verdict?.level === 'doubtful' && !unreliable ? 1 : 0,
    unreliable: unreliable && reading.quality === 'good' ? 1 : 0,
    drawn: value === null ? 0 : 1,
    min: value,
    max: value,
    sum: value ?? 0,
    reliableMin: point?.v ?? null,
    reliableMax: point?.v ?? null,
    first: point,
    last: point,
    area: 0,
    known: 0,
    estimated: 0,
    spread: 0,
    cutBefore: !reliable,
    cutAfter: !reliable,
  }
}

/** What lies between two reliable readings, or the part of it from `begin` to `end`; null where the gap is too long to be bridged. */
export function between(
  a: Point,
  b: Point,
  how: { cut: boolean; longestBridgedMs: number; begin?: number; end?: number },
): Pick<Slice, 'area' | 'known' | 'estimated' | 'spread'> | null {
  const gap = b.t - a.t
  const [begin, end] = [Math.max(a.t, how.begin ?? a.t), Math.min(b.t, how.end ?? b.t)]
  if (gap > how.longestBridgedMs || end <= begin) return null
  const at = (t: number): number => a.v + (b.v - a.v) * ((t - a.t) / gap)
  const known = end - begin
  const isEstimate = how.cut || gap > ESTIMATED_BEYOND_MS || a.estimated === true || b.estimated === true
  return {
    area: ((at(begin) + at(end)) / 2) * known,
    known,
    estimated: isEstimate ? known : 0,
    spread: isEstimate ? ((Math.abs(b.v - a.v) / 2) * known) ** 2 : 0,
  }
}

/** Slices that follow one another, as one that begins at `from`. @returns null for none. */
export function join(slices: Iterable<Slice>, { from, longestBridgedMs }: { from: number; longestBridgedMs: number }): Slice | null {
  let whole: Slice | null = null
  for (const slice of slices) whole = whole === null ? { ...slice, from } : joinTwo(whole, slice, longestBridgedMs)
  return whole
}

function joinTwo(a: Slice, b: Slice, longestBridgedMs: number): Slice {
  const gap = a.last && b.first ? between(a.last, b.first, { cut: a.cutAfter || b.cutBefore, longestBridgedMs }) : null
  return {
    from: a.from,
    count: a.count + b.count,
    bad: a.bad + b.bad,
    doubtful: a.doubtful + b.doubtful,
    unreliable: a.unreliable + b.unreliable,
    drawn: a.drawn + b.drawn,
    min: least(a.min, b.min),
    max: greatest(a.max, b.max),
    sum: a.sum + b.sum,
    reliableMin: least(a.reliableMin, b.reliableMin),
    reliableMax: greatest(a.reliableMax, b.reliableMax),
    first: a.first ?? b.first,
    last: b.last ?? a.last,
    area: a.area + b.area + (gap?.area ?? 0),
    known: a.known + b.known + (gap?.known ?? 0),
    estimated: a.estimated + b.estimated + (gap?.estimated ?? 0),
    spread: a.spread + b.spread + (gap?.spread ?? 0),
    cutBefore: a.first ? a.cutBefore : a.cutBefore || b.cutBefore,
    cutAfter: b.last ? b.cutAfter : a.cutAfter || b.cutAfter,
  }
}

export const least = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.min(a, b))
export const greatest = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.max(a, b))

/** Samples of one gate and metric, by time, as slices of `widthMs` from whole multiples of it. */
export function slicesOf(samples: readonly Sample[], widthMs: number): Slice[] {
  const found: Slice[] = []
  for (const sample of samples) {
    const slice = sliceOfSample({ sample, by: 'nothing' })
    const from = sample.t - (sample.t % widthMs)
    const last = found.at(-1)
    if (last?.from === from) found[found.length - 1] = joinTwo(last, slice, widthMs)
    else found.push({ ...slice, from })
  }
  return found
}
