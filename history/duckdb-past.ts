import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import { rowsOfSamples } from './duckdb-rows.ts'
import { type Before, NOTHING_BEFORE, type PastPoint, pastSeriesOf, spansOfPast } from './past.ts'
import type { PastQuery, PastSeries } from './port.ts'
import type { SeriesNumbers } from './series.ts'
import type { Span } from './span.ts'

// arg_max passes over rows without a value, and a BAD has none: it would find the value before it.
const NEWEST = `max(t), arg_max(coalesce(value, 'nan'::double), t), arg_max(quality, t)`
const BEFORE = `select series, ${NEWEST}, max(t) filter (quality = 0), arg_max(value, t) filter (quality = 0), count(*) from s group by series`

/** The newest of each series before a stretch, and of each step in it. */
export async function readPast(
  reader: DuckDBConnection,
  { series, ids, query }: { series: SeriesNumbers; ids: readonly number[]; query: PastQuery },
): Promise<PastSeries[]> {
  const spans = spansOfPast(query)
  const lately = await readBefore(reader, ids, spans.hourBefore)
  // Far back only what the last hour does not tell: few series, and of those few rows.
  const missing = ids.filter((id) => (lately.get(id)?.good ?? null) === null)
  const longAgo = missing.length === 0 ? new Map<number, Before>() : await readBefore(reader, missing, spans.longBefore)
  const points = await readSteps(reader, { ids, span: spans.asked, stepMs: query.stepMs })
  return ids.flatMap((id) => {
    const name = series.name(id)
    const near = lately.get(id) ?? NOTHING_BEFORE
    const far = longAgo.get(id) ?? NOTHING_BEFORE
    const before = { newest: near.newest ?? far.newest, good: near.good ?? far.good, hourBefore: near.hourBefore }
    const found = points.get(id) ?? []
    return name && (before.newest || found.length > 0) ? [pastSeriesOf(name, { before, points: found })] : []
  })
}

async function readBefore(reader: DuckDBConnection, ids: readonly number[], span: Span): Promise<Map<number, Before>> {
  if (span.from >= span.to) return new Map()
  const rows = await rowsOfSamples(reader, { ids, span }, BEFORE)
  return new Map(
    rows.map(([id, t, value, quality, goodAt, goodValue, count]) => {
      const good = typeof goodValue === 'number' ? { t: Number(goodAt), value: goodValue } : null
      return [Number(id), { newest: pointOf([t, value, quality]), good, hourBefore: Number(count) }]
    }),
  )
}

async function readSteps(
  reader: DuckDBConnection,
  { ids, span, stepMs }: { ids: readonly number[]; span: Span; stepMs: number },
): Promise<Map<number, PastPoint[]>> {
  const found = new Map<number, PastPoint[]>()
  if (span.from >= span.to) return found
  const sql = `select series, ${NEWEST} from s group by series, (t - ${span.from}) // ${Math.round(stepMs)} order by 2`
  for (const [id, ...point] of await rowsOfSamples(reader, { ids, span }, sql)) {
    const points = found.get(Number(id)) ?? []
    points.push(pointOf(point))
    found.set(Number(id), points)
  }
  return found
}

function pointOf([t, value, quality]: readonly (DuckDBValue | undefined)[]): PastPoint {
  return { t: Number(t), value: typeof value === 'number' && !Number.isNaN(value) ? value : null, quality: Number(quality) }
}
