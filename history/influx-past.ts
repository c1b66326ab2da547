import { STALE_CODE } from '#contract/reading.ts'
import { GATE_TAG } from './influx-fields.ts'
import type { InfluxSeries } from './influx-http.ts'
import { numberOf, type Row, rowsOf } from './influx-rows.ts'
import { countSamplesOf, lastQuality, lastValue, pastBad, pastValues, selectSamplesOf } from './influxql.ts'
import { type Before, NOTHING_BEFORE, type PastPoint, pastSeriesOf, spansOfPast } from './past.ts'
import type { PastQuery, PastSeries } from './port.ts'
import type { Span } from './span.ts'

type Query = (statements: readonly string[]) => Promise<InfluxSeries[][]>
/** Fewer make more requests than the server has processors. */
const METRICS_TOGETHER = 4

/** The newest of each metric before a stretch, and of each step in it, of gates that are asked for together. */
export async function influxPast(query: Query, metrics: readonly string[], asked: PastQuery): Promise<PastSeries[]> {
  const found: PastSeries[] = []
  for (let i = 0; i < metrics.length; i += METRICS_TOGETHER)
    found.push(...(await Promise.all(metrics.slice(i, i + METRICS_TOGETHER).map((metric) => pastOf(query, metric, asked)))).flat())
  return found
}

async function pastOf(query: Query, metric: string, asked: PastQuery): Promise<PastSeries[]> {
  const { gates, stepMs } = asked
  const { asked: span, hourBefore, longBefore } = spansOfPast(asked)
  const before: Span = { from: longBefore.from, to: hourBefore.to }
  const isStretch = span.from < span.to
  const [values = [], qualities = [], counts = [], stepped = [], bad = []] = await query([
    lastValue(metric, gates, before),
    lastQuality(metric, gates, before),
    countSamplesOf(metric, { gates, span: hourBefore }),
    ...(isStretch ? [pastValues(metric, { gates, span, bucketMs: stepMs }), pastBad(metric, { gates, span })] : []),
  ])
  const points = new Map(
    stepped.map((series) => [
      gateOf(series),
      rowsOf(series).flatMap((row): PastPoint[] => {
        const value = numberOf(row['v'])
        // The server tells a step's start, not the time of what is newest in it.
        const t = Math.min(Number(row['time']) + stepMs, span.to) - 1
        return value === null ? [] : [{ t, value, quality: 0 }]
      }),
    ]),
  )
  // Which came last in a step, the value or the BAD, only the samples tell.
  const judged = bad.filter((series) => rowsOf(series).some((row) => (numberOf(row['n']) ?? 0) > 0)).map(gateOf)
  if (judged.length > 0) {
    const [samples = []] = await query([selectSamplesOf(metric, { gates: judged, span })])
    for (const series of samples) points.set(gateOf(series), newestOfSteps(rowsOf(series), { from: span.from, stepMs }))
  }
  const [lastValues, lastQualities, hourCounts] = [byGate(values), byGate(qualities), byGate(counts)]
  return gates.flatMap((gate) => {
    const count = hourCounts.get(gate)
    const known = beforeOf(lastValues.get(gate), lastQualities.get(gate), count)
    const own = points.get(gate) ?? []
    return known.newest || own.length > 0 ? [pastSeriesOf({ gate, metric }, { before: known, points: own })] : []
  })
}

function beforeOf(value: Row | undefined, quality: Row | undefined, count: Row | undefined): Before {
  const [v, q] = [value && pointIn(value), quality && pointIn(quality)]
  const newest = v && q ? (q.t >= v.t ? q : v) : (v ?? q ?? null)
  const good = v && v.quality === 0 && v.value !== null ? { t: v.t, value: v.value } : NOTHING_BEFORE.good
  // A sample with a value and a quality counts twice: a BAD that was written over a value, which is rare.
  return { newest, good, hourBefore: (numberOf(count?.['v']) ?? 0) + (numberOf(count?.['q']) ?? 0) }
}

function newestOfSteps(rows: readonly Row[], { from, stepMs }: { from: number; stepMs: number }): PastPoint[] {
  const points = new Map<number, PastPoint>()
  for (const row of rows) points.set(Math.floor((Number(row['time']) - from) / stepMs), pointIn(row))
  return [...points.values()]
}

const HAS_VALUE = new Set([0, STALE_CODE])
function pointIn(row: Row): PastPoint {
  const quality = numberOf(row['q']) ?? 0
  return { t: Number(row['time']), value: HAS_VALUE.has(quality) ? numberOf(row['v']) : null, quality }
}
const gateOf = (series: InfluxSeries): string => series.tags?.[GATE_TAG] ?? ''
const byGate = (found: readonly InfluxSeries[]): Map<string, Row> =>
  new Map(
    found.flatMap((series) =>
      rowsOf(series)
        .slice(0, 1)
        .map((row) => [gateOf(series), row] as const),
    ),
  )
