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

export type ColumnOptions = {
  readonly metrics: readonly string[]
  /** End of the time that the reply answers for, ms since 1970 UTC. */
  readonly until: number
  /** A longer pause between two samples of a metric is a gap, never a line. */
  readonly gapMs: number
}

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

/** Joins the history's reply and the values that came live since into columns on one time axis. */
export function toColumns(reply: HistoryReply, tail: Tail, options: ColumnOptions): TrendColumns {
  const lines = options.metrics.map((metric) => ({
    metric,
    points: pointsOf(reply, metric, { tail: tail[metric] ?? [], until: options.until }),
  }))
  const drawn = lines.map(({ metric, points }) => ({
    metric,
    points: withGaps(points, options.gapMs),
    bad: mergeSpans(badSpans(points, options.gapMs)),
  }))
  const x = [...new Set(drawn.flatMap((line) => line.points.map((p) => p.x)))].sort((a, b) => a - b)
  const place = new Map(x.map((t, i) => [t, i]))
  const series = Object.fromEntries(
    drawn.map(({ metric, points, bad }): [string, SeriesCells] => {
      const empty = (): Cells => Array<undefined>(x.length).fill(undefined)
      const columns = { min: empty(), max: empty(), mean: empty() }
      for (const point of points) {
        const i = place.get(point.x) ?? 0
        columns.min[i] = point.min
        columns.max[i] = point.max
        columns.mean[i] = point.mean
      }
      return [metric, { ...columns, bad }]
    }),
  )
  return { x: x.map((t) => t / 1000), series }
}

function pointsOf(reply: HistoryReply, metric: string, options: { tail: readonly TailPoint[]; until: number }): Point[] {
  const points = storedPoints(reply, metric, options.until)
  const known = Math.min(points.at(-1)?.to ?? Number.NEGATIVE_INFINITY, options.until)
  for (const { t, value, bad } of options.tail) {
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

/** A null point in every pause that is longer than `gapMs`. */
function withGaps(points: readonly Point[], gapMs: number): Point[] {
  return points.flatMap((point, i) => {
    const before = points[i - 1]
    if (!before || point.from - before.to <= gapMs) return [point]
    const x = (before.x + point.x) / 2
    return [{ x, from: x, to: x, min: null, max: null, mean: null, bad: false }, point]
  })
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

/** The index of the newest point at or before `i` that a line has, for the readout under the cursor; null inside a gap. */
export function cellBefore(cells: Cells, i: number): number | null {
  for (let k = Math.min(i, cells.length - 1); k >= 0; k--) {
    const cell = cells[k]
    if (cell === null) return null
    if (cell !== undefined) return cell
  }
  return null
}
