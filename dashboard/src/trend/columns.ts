import type { HistoryReply, Series } from '#contract/http.ts'

/** A value that came live. `value` is null when it could not be taken. */
export type TailPoint = { readonly t: number; readonly value: number | null; readonly bad: boolean }
export type Tail = Readonly<Record<string, readonly TailPoint[]>>

/** As uPlot wants it: null is a gap; undefined is no point of this series, the line goes on. */
export type Cells = (number | null | undefined)[]
export type TrendColumns = {
  /** Seconds since 1970 UTC, strictly ascending. */
  readonly x: number[]
  readonly series: Readonly<Record<string, SeriesCells>>
}
export type SeriesCells = {
  readonly min: Cells
  readonly max: Cells
  readonly mean: Cells
  /** Where the metric has BAD or STALE samples, in ms; ascending, not overlapping. */
  readonly bad: readonly Span[]
}
export type Span = { readonly from: number; readonly to: number }

export type LineOptions = {
  /** End of the time that the reply answers for, ms since 1970 UTC. */
  readonly until: number
  /** A longer pause between two samples of a metric is a gap, never a line; but see isRhythm. */
  readonly gapMs: number
}
export type ColumnOptions = LineOptions & { readonly metrics: readonly string[] }

type Point = {
  /** Where the point is drawn. */
  readonly x: number
  /** The time that it stands for. */
  readonly from: number
  readonly to: number
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
  readonly bad: boolean
}
/** The points of one line as they are drawn, gaps included, ascending. */
export type Line = { readonly points: readonly Point[]; readonly bad: readonly Span[] }
export const NO_LINE: Line = { points: [], bad: [] }

/** One metric of the history's reply, and the values that came live since. */
export function toLine(reply: HistoryReply, metric: string, options: LineOptions & { tail: readonly TailPoint[] }): Line {
  const points = pointsOf(reply, metric, options)
  return { points: withGaps(points, options.gapMs), bad: mergeSpans(badSpans(points, options.gapMs)) }
}

/** Joins metrics of one reply and the values that came live since into columns on one time axis. */
export function toColumns(reply: HistoryReply, tail: Tail, options: ColumnOptions): TrendColumns {
  return joinLines(options.metrics.map((metric) => [metric, toLine(reply, metric, { ...options, tail: tail[metric] ?? [] })]))
}

/** Lines, of whatever gates, on one time axis. */
export function joinLines(lines: readonly (readonly [key: string, line: Line])[]): TrendColumns {
  const x: number[] = []
  const columns = lines.map(([key, { points, bad }]) => ({
    key,
    points,
    at: 0,
    bad,
    min: [] as Cells,
    max: [] as Cells,
    mean: [] as Cells,
  }))
  for (;;) {
    let next = Number.POSITIVE_INFINITY
    for (const { points, at } of columns) next = Math.min(next, points[at]?.x ?? next)
    if (next === Number.POSITIVE_INFINITY) break
    x.push(next / 1000)
    for (const column of columns) {
      const point = column.points[column.at]
      const here = point?.x === next ? point : undefined
      if (here) column.at++
      column.min.push(here?.min)
      column.max.push(here?.max)
      column.mean.push(here?.mean)
    }
  }
  return { x, series: Object.fromEntries(columns.map(({ key, min, max, mean, bad }) => [key, { min, max, mean, bad }])) }
}

function pointsOf(reply: HistoryReply, metric: string, { tail, until }: LineOptions & { tail: readonly TailPoint[] }): Point[] {
  const points = storedPoints(reply, metric, until)
  const known = Math.min(points.at(-1)?.to ?? Number.NEGATIVE_INFINITY, until)
  for (const { t, value, bad } of tail) {
    const last = points.at(-1)
    if (t <= known || (last && t <= last.x)) continue
    points.push({ x: t, from: t, to: t, min: value, max: value, mean: value, bad })
  }
  return points
}

function storedPoints(reply: HistoryReply, metric: string, until: number): Point[] {
  const series = seriesOf(reply, metric)
  if (!series) return []
  return reply.t.flatMap((t, i): Point[] => {
    const [mean = null, min = null, max = null] = [series.mean[i], series.min[i], series.max[i]]
    const bad = (series.bad[i] ?? 0) > 0
    // The time axis is shared: here another metric has a sample.
    if (mean === null && !bad) return []
    const to = t + reply.bucket_ms
    // The last bucket is not over yet; its middle may lie in the future.
    const x = Math.max(t, Math.min(t + reply.bucket_ms / 2, until))
    return [{ x, from: t, to, min: min ?? mean, max: max ?? mean, mean, bad }]
  })
}

function seriesOf(reply: HistoryReply, metric: string): Series | undefined {
  const series = reply[metric]
  return typeof series === 'object' && !Array.isArray(series) ? series : undefined
}

/** A null point in every pause that is longer than `gapMs`, unless the readings there came in so slow a rhythm: see isRhythm. */
function withGaps(points: readonly Point[], gapMs: number): Point[] {
  const pauses = points.map((point, i) => point.from - (points[i - 1]?.to ?? point.from))
  return points.flatMap((point, i) => {
    const before = points[i - 1]
    if (!before || (pauses[i] ?? 0) <= gapMs || isRhythm(pauses, i)) return [point]
    const x = (before.x + point.x) / 2
    return [{ x, from: x, to: x, min: null, max: null, mean: null, bad: false }, point]
  })
}

/** As a volume does not, a line does not bridge more, ms. */
const LONGEST_BRIDGED_MS = 3_600_000
/** Pauses on either side that tell a rhythm. */
const BESIDE = 2

/**
 * Readings that were taken more slowly than the gate's are now (history from before Sluice, a simulated past) are a line all the same: the pause
 * is no longer than twice what is usual beside it.
 */
function isRhythm(pauses: readonly number[], i: number): boolean {
  const pause = pauses[i] ?? 0
  const beside = [...pauses.slice(Math.max(1, i - BESIDE), i), ...pauses.slice(i + 1, i + 1 + BESIDE)].sort((a, b) => a - b)
  const usual = beside[Math.floor((beside.length - 1) / 2)]
  return beside.length >= BESIDE && usual !== undefined && pause <= LONGEST_BRIDGED_MS && pause <= 2 * usual
}

/** A bad sample holds until the next one of its metric, but not longer than a value would be believed. */
function badSpans(points: readonly Point[], gapMs: number): Span[] {
  return points.flatMap((point, i): Span[] => {
    if (!point.bad) return []
    const held = Math.min(points[i + 1]?.from ?? Number.POSITIVE_INFINITY, point.from + gapMs)
    return [{ from: point.from, to: Math.max(point.to, held) }]
  })
}

/** @returns the spans ascending, those that touch made one */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = []
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last && span.from <= last.to) merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) }
    else merged.push(span)
  }
  return merged
}

/** The newest point of a line at or before `i`, for the readout under the cursor; null inside a gap. */
export function cellBefore(cells: Cells, i: number): number | null {
  for (let k = Math.min(i, cells.length - 1); k >= 0; k--) {
    const cell = cells[k]
    if (cell === null) return null
    if (cell !== undefined) return cell
  }
  return null
}
