import { unixMs } from '#contract/units.ts'
import { type Aggregate, type AggregateQuery, LONGEST_BRIDGED, startFold } from './aggregate.ts'
import { correct } from './corrections.ts'
import type { RangeQuery, Sample } from './port.ts'
import { sliceOfSample } from './slice.ts'

type ReadSamples = (query: Omit<RangeQuery, 'points'>) => AsyncIterable<Sample>

/** Aggregates from the samples themselves, one gate after the other. */
export async function aggregateSamples(query: AggregateQuery, read: ReadSamples): Promise<Map<string, Aggregate[]>> {
  requireAscending(query.edges)
  const found = new Map<string, Aggregate[]>()
  for (const gate of new Set(query.gates)) found.set(gate, await aggregateGate(gate, query, read))
  return found
}

async function aggregateGate(gate: string, query: AggregateQuery, read: ReadSamples): Promise<Aggregate[]> {
  const { metric, edges, longestBridged = LONGEST_BRIDGED, corrections = [] } = query
  const [first = 0, last = 0] = [edges[0], edges.at(-1)]
  const span = { gate, metric, from: first - longestBridged, to: last + longestBridged }
  const samples: Sample[] = []
  for await (const sample of read({ gate, metrics: [metric], from: unixMs(span.from), to: unixMs(span.to) })) samples.push(sample)
  const fold = startFold(edges, longestBridged)
  for (const corrected of correct(samples, corrections, span)) fold.add(sliceOfSample(corrected))
  return fold.result()
}

function requireAscending(edges: readonly number[]): void {
  if (!edges.every((edge, i) => Number.isFinite(edge) && (i === 0 || edge > (edges[i - 1] ?? 0))))
    throw new RangeError('the edges of periods must ascend')
}
