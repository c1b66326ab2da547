import { BIGINT, DOUBLE, type DuckDBConnection, DuckDBDataChunk, type DuckDBValue, INTEGER, SMALLINT } from '@duckdb/node-api'
import { drawable, qualityCode, readingOf } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { verdictCode, verdictOf } from '#contract/verdict.ts'
import type { Bucket } from './columns.ts'
import { rollUpChanged } from './duckdb-rollup.ts'
import type { Sample } from './port.ts'
import { SeriesNumbers } from './series.ts'
import type { Count, Span } from './span.ts'

/** The statements of the DuckDB store, and what their rows mean. Numbers stand in the SQL itself; names never do. */

export type Asked = { readonly span: Span; readonly ids: readonly number[]; readonly series: SeriesNumbers }

/** DuckDB takes vectors of this length. */
const CHUNK_ROWS = 2048

/**
 * Rows of a query of the table `s`: what `recent` and `archive` hold together, each series and time once, the row that was written last. To plan the
 * joining of the two takes longer than to read a day, and mostly the span has nothing in `recent`; so that is looked at first, in one transaction.
 */
export async function rowsOfSamples(
  reader: DuckDBConnection,
  { span, ids }: Pick<Asked, 'span' | 'ids'>,
  query: string,
): Promise<DuckDBValue[][]> {
  const where = `series in (${ids.join(', ')}) and t >= ${span.from} and t < ${span.to}`
  // A reader that fails here is closed, which ends its transaction.
  await reader.run('begin')
  const [[isTouched] = []] = await rowsOf(reader, `select exists (select 1 from recent where ${where})`)
  const rows = await rowsOf(reader, `${isTouched === true ? bothSql(where) : `with s as (select * from archive where ${where})`} ${query}`)
  await reader.run('commit')
  return rows
}

function bothSql(where: string): string {
  return `
with newest as (
  select series, t, received, value, quality, verdict from recent where ${where}
  qualify row_number() over (partition by series, t order by n desc) = 1
), s as (
  select * from newest
  union all
  select series, t, received, value, quality, verdict from archive a where ${where} and not exists (select 1 from newest r where r.series = a.series and r.t = a.t)
)`
}

/** @returns the number of samples of the series that has most. */
export async function countMost(reader: DuckDBConnection, asked: Asked): Promise<number> {
  const counts = await rowsOfSamples(reader, asked, 'select count(*) from s group by series')
  return Math.max(0, ...counts.map(([count]) => Number(count)))
}

export async function countBy(reader: DuckDBConnection, asked: Asked, bucketMs: number): Promise<Count[]> {
  const counts = await rowsOfSamples(reader, asked, `select t - t % ${bucketMs} as b, count(*) from s group by b order by b`)
  return counts.map(([t, count]) => ({ t: Number(t), count: Number(count) }))
}

/** By time. */
export async function readSamples(reader: DuckDBConnection, asked: Asked): Promise<Sample[]> {
  const found = await rowsOfSamples(reader, asked, 'select series, t, received, value, quality, verdict from s order by t, series')
  return found.flatMap((row) => sampleOf(row, asked.series) ?? [])
}

export async function readBuckets(reader: DuckDBConnection, asked: Asked, bucketMs: number): Promise<Bucket[]> {
  // A BAD sample has no value, and these functions pass over what is missing.
  const found = await rowsOfSamples(
    reader,
    asked,
    `select series, t - t % ${bucketMs} as b, min(value), max(value), avg(value), count(*) filter (quality <> 0) from s group by series, b`,
  )
  return found.flatMap(([id, t, min, max, mean, bad]) => {
    const name = asked.series.name(Number(id))
    return name
      ? [{ t: Number(t), metric: name.metric, min: numberOf(min), max: numberOf(max), mean: numberOf(mean), bad: Number(bad) }]
      : []
  })
}

export async function appendSeries(writer: DuckDBConnection, added: Iterable<{ id: number; gate: string; metric: string }>): Promise<void> {
  const appender = await writer.createAppender('series')
  for (const { id, gate, metric } of added) {
    appender.appendInteger(id)
    appender.appendVarchar(gate)
    appender.appendVarchar(metric)
    appender.endRow()
  }
  appender.closeSync()
}

/** Appends to `recent`, numbered from `n`: of two rows with the same key the higher number counts. */
export async function appendSamples(
  writer: DuckDBConnection,
  { samples, ids, n }: { samples: readonly Sample[]; ids: readonly number[]; n: bigint },
): Promise<void> {
  const appender = await writer.createAppender('recent')
  const [time, received] = [bigIntOf(), bigIntOf()]
  let number = n
  for (let start = 0; start < samples.length; start += CHUNK_ROWS) {
    const part = samples.slice(start, start + CHUNK_ROWS)
    const chunk = DuckDBDataChunk.create([INTEGER, BIGINT, BIGINT, DOUBLE, SMALLINT, BIGINT, SMALLINT])
    chunk.setColumns([
      ids.slice(start, start + CHUNK_ROWS),
      part.map((s) => time(s.t)),
      part.map((s) => received(s.received)),
      part.map((s) => drawable(s.reading)),
      part.map((s) => qualityCode(s.reading)),
      part.map(() => number++),
      part.map((s) => verdictCode(s.verdict)),
    ])
    appender.appendDataChunk(chunk)
  }
  appender.closeSync()
}

/** Neighbours mostly have the same time: it is converted once. */
function bigIntOf(): (ms: number) => bigint {
  let [known, converted] = [0, 0n]
  return (ms) => {
    if (ms !== known) [known, converted] = [ms, BigInt(ms)]
    return converted
  }
}

/**
 * Moves what `recent` holds before number `n` into `archive`, rolls up what it touched, and moves the newest of each series into `latest`. One
 * transaction of the caller's; others may append meanwhile.
 */
export async function merge(writer: DuckDBConnection, n: bigint): Promise<void> {
  await writer.run(`create or replace temp table merging as
    select series, t, received, value, quality, verdict from recent where n < ${n}
    qualify row_number() over (partition by series, t order by n desc) = 1`)
  const [[from, to] = []] = await rowsOf(writer, 'select min(t), max(t) from merging')
  if (from !== null && from !== undefined) {
    // The bounds stand there as numbers so that DuckDB leaves the rest of the archive unread.
    await writer.run(`delete from archive using merging m
      where archive.t between ${from} and ${to} and archive.series = m.series and archive.t = m.t`)
    await writer.run('insert into archive select * from merging order by series, t')
    await rollUpChanged(writer, 'merging')
    await writer.run(`create or replace temp table newest as
      with top as (select * from merging where (series, t) in (select (series, max(t)) from merging group by series))
      select series, t, received, value, quality, verdict from (select *, 1 as turn from top union all select *, 0 as turn from latest)
      qualify row_number() over (partition by series order by t desc, turn desc) = 1`)
    await writer.run('delete from latest')
    await writer.run('insert into latest select * from newest')
    await writer.run(`delete from recent where n < ${n}`)
    await writer.run('drop table newest')
  }
  await writer.run('drop table merging')
}

export async function readSeries(reader: DuckDBConnection): Promise<SeriesNumbers> {
  const series = new SeriesNumbers()
  for (const [id, gate, metric] of await rowsOf(reader, 'select id, gate, metric from series'))
    series.add({ id: Number(id), gate: String(gate), metric: String(metric) })
  return series
}

/** The newest sample of each series. */
export async function readLatest(reader: DuckDBConnection, series: SeriesNumbers): Promise<Sample[]> {
  const found = await rowsOf(
    reader,
    `select series, t, received, value, quality, verdict from (select *, -1 as n from latest union all by name select * from recent)
     qualify row_number() over (partition by series order by t desc, n desc) = 1`,
  )
  return found.flatMap((row) => sampleOf(row, series) ?? [])
}

/** @returns how many rows `recent` holds, and the number that the next one gets. */
export async function readRecentSize(reader: DuckDBConnection): Promise<{ recentRows: number; nextN: bigint }> {
  const [[count, highest] = []] = await rowsOf(reader, 'select count(*), max(n) from recent')
  return { recentRows: Number(count), nextN: typeof highest === 'bigint' ? highest + 1n : 0n }
}

async function rowsOf(connection: DuckDBConnection, sql: string): Promise<DuckDBValue[][]> {
  return await (await connection.run(sql)).getRows()
}

function sampleOf(
  [id, t, received, value, quality, verdict]: readonly (DuckDBValue | undefined)[],
  series: SeriesNumbers,
): Sample | undefined {
  const name = series.name(Number(id))
  if (!name) return undefined
  const judged = verdictOf(Number(verdict))
  const reading = readingOf(numberOf(value), Number(quality))
  return { ...name, t: unixMs(Number(t)), received: unixMs(Number(received)), reading, ...(judged && { verdict: judged }) }
}

const numberOf = (value: DuckDBValue | undefined): number | null => (typeof value === 'number' ? value : null)
