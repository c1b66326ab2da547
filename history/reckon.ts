import { type Aggregate, type AggregateQuery, LONGEST_BRIDGED, startFold } from './aggregate.ts'
import { cellsOf, DAY_MS, HOUR_MS, type Level, type SliceSource } from './cells.ts'
import { correct } from './corrections.ts'
import { type SummedSlice, sliceOfSample } from './slice.ts'
import { type Span, wholeSpan } from './span.ts'

/** Aggregates by period. A gap within a roll-up of an hour is no longer than an hour, so it serves any longest gap from there on; that of a day only the one. */
export async function reckon(source: SliceSource<SummedSlice>, query: AggregateQuery): Promise<Map<string, Aggregate[]>> {
  const { gates, metric, edges, longestBridged = LONGEST_BRIDGED, corrections = [] } = query
  requireAscending(edges)
  const levels: Level[] = longestBridged === LONGEST_BRIDGED ? [DAY_MS, HOUR_MS] : longestBridged > HOUR_MS ? [HOUR_MS] : []
  const span = wholeSpan({ from: (edges[0] ?? 0) - longestBridged, to: (edges.at(-1) ?? 0) + longestBridged })
  const cells = await cellsOf(source, {
    gates,
    metric,
    levels,
    // To whole hours, so that the first and the last need no samples where nothing is asked of them.
    span: { from: span.from - (span.from % HOUR_MS), to: Math.ceil(span.to / HOUR_MS) * HOUR_MS },
    mayUse: (gate, window) =>
      !holdsEdge(edges, window) &&
      !corrections.some((c) => c.gate === gate && c.metric === metric && c.from < window.to && c.to > window.from),
    sliceSamples: (samples, at) => correct(samples, corrections, { gate: at.gate, metric, ...at.span }).map(sliceOfSample),
  })
  return new Map(
    [...cells].map(([gate, slices]) => {
      const fold = startFold(edges, longestBridged)
      for (const slice of slices) fold.add(slice)
      return [gate, fold.result()]
    }),
  )
}

/** Strictly within: an edge on a window's end parts nothing. */
function holdsEdge(edges: readonly number[], { from, to }: Span): boolean {
  let [low, high] = [0, edges.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((edges[middle] ?? 0) > from) high = middle
    else low = middle + 1
  }
  return low < edges.length && (edges[low] ?? 0) < to
}

function requireAscending(edges: readonly number[]): void {
  if (!edges.every((edge, i) => Number.isFinite(edge) && (i === 0 || edge > (edges[i - 1] ?? 0))))
    throw new RangeError('the edges of periods must ascend')
}
