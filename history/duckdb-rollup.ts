import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import { STALE_CODE } from '#contract/reading.ts'
import { UNRELIABLE_FROM } from '#contract/verdict.ts'
import { LONGEST_BRIDGED } from './aggregate.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, type Width } from './cells.ts'
import { MINUTES_FROM_COUNT } from './chart.ts'
import type { KeepFrom } from './port.ts'
import { type DrawnSlice, ESTIMATED_BEYOND_MS, type Slice, type SummedSlice } from './slice.ts'
import type { Span } from './span.ts'

/** Roll-ups in DuckDB: one row a series and window `w`, its columns those of a Slice. They hold what is in `archive`, and change in the same transaction. */

export const TABLE = { [MINUTE_MS]: 'rollup_minute', [HOUR_MS]: 'rollup_hour', [DAY_MS]: 'rollup_day' } as const

const COLUMNS = `series integer not null, w bigint not null, count integer not null, bad integer not null, doubtful integer not null,
  unreliable integer not null, drawn integer not null, low double, high double, total double not null, reliable_low double, reliable_high double,
  first_t bigint, first_v double, last_t bigint, last_v double, area double not null, known bigint not null, estimated bigint not null,
  spread double not null, cut_before boolean not null, cut_after boolean not null`
export const ROLLUP_TABLES = Object.values(TABLE)
  .map((table) => `create table if not exists ${table} (${COLUMNS});`)
  .join('\n')

/** Slices of `width` from the samples `source`, which has columns series, t, value, quality, verdict. As slice.ts does it. */
const sliceSql = (source: string, width: number): string => `
with s as (
  select series, t - t % ${width} as w, t, value, quality, verdict,
    quality = 0 and value is not null and verdict < ${UNRELIABLE_FROM} as ok
  from (${source})
), c as (
  select *, count(*) filter (not ok) over (partition by series, w order by t rows unbounded preceding) as cuts from s
), r as (
  select series, w, t, value, cuts, lag(t) over gate as pt, lag(value) over gate as pv,
    lag(cuts) over gate <> cuts or t - lag(t) over gate > ${ESTIMATED_BEYOND_MS} as guessed
  from c where ok window gate as (partition by series, w order by t)
), g as (
  select series, w, min(value) as reliable_low, max(value) as reliable_high, min(t) as first_t, arg_min(value, t) as first_v, max(t) as last_t,
    arg_max(value, t) as last_v, sum((value + pv) / 2 * (t - pt)) as area, max(t) - min(t) as known, sum(t - pt) filter (guessed) as estimated,
    sum(pow(abs(value - pv) / 2 * (t - pt), 2)) filter (guessed) as spread, min(cuts) as cuts_first, max(cuts) as cuts_last
  from r group by series, w
), n as (
  select series, w, count(*) as count, count(*) filter (quality <> 0 or value is null) as bad,
    count(*) filter (verdict >= 1000 and verdict < ${UNRELIABLE_FROM}) as doubtful,
    count(*) filter (quality = 0 and value is not null and verdict >= ${UNRELIABLE_FROM}) as unreliable,
    count(value) filter (quality in (0, ${STALE_CODE})) as drawn, min(value) filter (quality in (0, ${STALE_CODE})) as low,
    max(value) filter (quality in (0, ${STALE_CODE})) as high, sum(value) filter (quality in (0, ${STALE_CODE})) as total, max(cuts) as cuts
  from c group by series, w
)
select series, w, count, bad, doubtful, unreliable, drawn, low, high, coalesce(total, 0), reliable_low, reliable_high, first_t, first_v, last_t, last_v,
  coalesce(area, 0), coalesce(known, 0), coalesce(estimated, 0), coalesce(spread, 0), coalesce(cuts_first > 0, true), coalesce(cuts > cuts_last, true)
from n left join g using (series, w)`

/** Slices of a day from those of its hours: between two hours a gap may be too long to be bridged. */
const daySql = (source: string): string => `
with c as (
  select *, w - w % ${DAY_MS} as day, count(*) filter (first_t is null) over (partition by series, w - w % ${DAY_MS} order by w rows unbounded preceding) as cuts
  from (${source})
), r as (
  select *, first_t - lag(last_t) over hours as gap, lag(last_v) over hours as pv,
    lag(cuts) over hours <> cuts or lag(cut_after) over hours or cut_before or first_t - lag(last_t) over hours > ${ESTIMATED_BEYOND_MS} as guessed
  from c where first_t is not null window hours as (partition by series, day order by w)
), g as (
  select series, day, min(first_t) as first_t, arg_min(first_v, w) as first_v, max(last_t) as last_t, arg_max(last_v, w) as last_v,
    sum((pv + first_v) / 2 * gap) filter (gap <= ${LONGEST_BRIDGED}) as area, sum(gap) filter (gap <= ${LONGEST_BRIDGED}) as known,
    sum(gap) filter (guessed and gap <= ${LONGEST_BRIDGED}) as estimated,
    sum(pow(abs(first_v - pv) / 2 * gap, 2)) filter (guessed and gap <= ${LONGEST_BRIDGED}) as spread,
    arg_min(cut_before, w) or min(cuts) > 0 as cut_before, arg_max(cut_after, w) as cut_after, max(cuts) as cuts_last
  from r group by series, day
), n as (
  select series, day, sum(count) as count, sum(bad) as bad, sum(doubtful) as doubtful, sum(unreliable) as unreliable, sum(drawn) as drawn, min(low) as low,
    max(high) as high, sum(total) as total, min(reliable_low) as reliable_low, max(reliable_high) as reliable_high, sum(area) as area,
    sum(known) as known, sum(estimated) as estimated, sum(spread) as spread, max(cuts) as cuts
  from c group by series, day
)
select series, day, n.count, n.bad, n.doubtful, n.unreliable, n.drawn, n.low, n.high, n.total, n.reliable_low, n.reliable_high, g.first_t, g.first_v,
  g.last_t, g.last_v, n.area + coalesce(g.area, 0), n.known + coalesce(g.known, 0), n.estimated + coalesce(g.estimated, 0),
  n.spread + coalesce(g.spread, 0), coalesce(g.cut_before, true), coalesce(g.cut_after or n.cuts > g.cuts_last, true)
from n left join g using (series, day)`

/**
 * Rolls up anew what the rows of the table `changed` (series, t) touch, from `archive`. Part of the caller's transaction. Bounds stand there as numbers so
 * that DuckDB leaves the rest unread.
 */
export async function rollUpChanged(writer: DuckDBConnection, changed: string): Promise<void> {
  await writer.run(`create or replace temp table touched as select distinct series, t - t % ${HOUR_MS} as w from ${changed}`)
  const [[from, to] = []] = await (await writer.run(`select min(w), max(w) + ${HOUR_MS} from touched`)).getRows()
  if (typeof from === 'bigint' && typeof to === 'bigint') {
    const hours = `w >= ${from} and w < ${to} and (series, w - w % ${HOUR_MS}) in (select (series, w) from touched)`
    const samples = `select series, t, value, quality, verdict from archive
      where t >= ${from} and t < ${to} and (series, t - t % ${HOUR_MS}) in (select (series, w) from touched)`
    await replace(writer, TABLE[HOUR_MS], { where: hours, rows: sliceSql(samples, HOUR_MS) })
    const dense = `select (series, w) from rollup_hour where ${hours} and count > ${MINUTES_FROM_COUNT}`
    const denseSamples = `${samples} and (series, t - t % ${HOUR_MS}) in (${dense})`
    await replace(writer, TABLE[MINUTE_MS], { where: hours, rows: sliceSql(denseSamples, MINUTE_MS) })
    const firstDay = from - (from % BigInt(DAY_MS))
    const days = `w >= ${firstDay} and w < ${to} and (series, w - w % ${DAY_MS}) in (select (series, w - w % ${DAY_MS}) from touched)`
    const lastDay = `w < ${to + BigInt(DAY_MS)}`
    const hoursOfDays = `select * from rollup_hour where w >= ${firstDay} and ${lastDay} and (series, w - w % ${DAY_MS}) in (select (series, w - w % ${DAY_MS}) from touched)`
    await replace(writer, TABLE[DAY_MS], { where: days, rows: daySql(hoursOfDays) })
  }
  await writer.run('drop table touched')
}

async function replace(writer: DuckDBConnection, table: string, { where, rows }: { where: string; rows: string }): Promise<void> {
  await writer.run(`delete from ${table} where ${where}`)
  await writer.run(`insert into ${table} ${rows} order by 1, 2`)
}

export async function deleteBefore(writer: DuckDBConnection, { samples, minutes, hours }: KeepFrom): Promise<void> {
  await writer.run(`delete from archive where t < ${samples}`)
  await writer.run(`delete from ${TABLE[MINUTE_MS]} where w < ${minutes}`)
  await writer.run(`delete from ${TABLE[HOUR_MS]} where w < ${hours}`)
  await writer.run(`delete from ${TABLE[DAY_MS]} where w < ${hours}`)
}

/** A file from before there were roll-ups gets them. */
export async function rollUpMissing(writer: DuckDBConnection): Promise<void> {
  const [[missing] = []] = await (
    await writer.run('select exists (select 1 from archive) and not exists (select 1 from rollup_hour)')
  ).getRows()
  if (missing !== true) return
  await writer.run('begin')
  await rollUpChanged(writer, 'archive')
  await writer.run('commit')
}

/** Which columns are read of a roll-up, and what a row of them tells; the series comes first. */
export type Columns<S> = { readonly sql: string; readonly sliceOf: (row: readonly DuckDBValue[]) => S }
export const DRAWN: Columns<DrawnSlice> = {
  sql: 'series, w, count, bad, drawn, low, high, total',
  sliceOf: ([, w, count, bad, drawn, low, high, total]) => ({
    from: Number(w),
    count: Number(count),
    bad: Number(bad),
    drawn: Number(drawn),
    min: numberOrNull(low),
    max: numberOrNull(high),
    sum: Number(total),
  }),
}
export const SUMMED: Columns<SummedSlice> = {
  sql: `series, w, count, bad, doubtful, unreliable, reliable_low, reliable_high, first_t, first_v, last_t, last_v, area, known, estimated, spread,
    cut_before, cut_after`,
  sliceOf: (row) => {
    const [, w, count, bad, doubtful, unreliable, reliableLow, reliableHigh, firstT, firstV, lastT, lastV] = row
    const [area, known, estimated, spread, cutBefore, cutAfter] = row.slice(12)
    return {
      from: Number(w),
      count: Number(count),
      bad: Number(bad),
      doubtful: Number(doubtful),
      unreliable: Number(unreliable),
      reliableMin: numberOrNull(reliableLow),
      reliableMax: numberOrNull(reliableHigh),
      first: firstT === null ? null : { t: Number(firstT), v: Number(firstV) },
      last: lastT === null ? null : { t: Number(lastT), v: Number(lastV) },
      area: Number(area),
      known: Number(known),
      estimated: Number(estimated),
      spread: Number(spread),
      cutBefore: cutBefore === true,
      cutAfter: cutAfter === true,
    }
  },
}
const SUMMED_COLUMNS = SUMMED.sql.split(',').length
/** A whole one is the two beside each other. */
const WHOLE: Columns<Slice> = {
  sql: `${SUMMED.sql}, ${DRAWN.sql}`,
  sliceOf: (row) => ({ ...SUMMED.sliceOf(row), ...DRAWN.sliceOf(row.slice(SUMMED_COLUMNS)) }),
}

/** Roll-ups of series in a span, in no order, and the windows that rows in `recent` have touched since: one look at the file. */
export async function readRolledUp<S>(
  reader: DuckDBConnection,
  { level, ids, span, columns }: { level: Width; ids: readonly number[]; span: Span; columns: Columns<S> },
): Promise<{ slices: { id: number; slice: S }[]; stale: { id: number; w: number }[] }> {
  const bounds = `series in (${ids.join(', ')})`
  await reader.run('begin')
  try {
    const slices = await reader.run(`select ${columns.sql} from ${TABLE[level]} where ${bounds} and w >= ${span.from} and w < ${span.to}`)
    const rows = await slices.getRows()
    const width = level === MINUTE_MS ? HOUR_MS : level
    const stale = await reader.run(
      `select distinct series, t - t % ${width} from recent where ${bounds} and t >= ${span.from - width} and t < ${span.to + width}`,
    )
    return {
      slices: rows.map((row) => ({ id: Number(row[0]), slice: columns.sliceOf(row) })),
      stale: (await stale.getRows()).map(([id, w]) => ({ id: Number(id), w: Number(w) })),
    }
  } finally {
    await reader.run('commit')
  }
}

/** Roll-ups of one series from `from` until `to`, by time. */
export async function readSlices(
  reader: DuckDBConnection,
  { width, id, span, most }: { width: Width; id: number; span: Span; most: number },
): Promise<Slice[]> {
  const rows = await reader.run(
    `select ${WHOLE.sql} from ${TABLE[width]} where series = ${id} and w >= ${span.from} and w < ${span.to} order by w limit ${most}`,
  )
  return (await rows.getRows()).map((row) => WHOLE.sliceOf(row))
}

export async function appendSlices(
  writer: DuckDBConnection,
  { width, id, slices }: { width: Width; id: number; slices: readonly Slice[] },
): Promise<void> {
  const appender = await writer.createAppender(TABLE[width])
  const double = (value: number | null): void => (value === null ? appender.appendNull() : appender.appendDouble(value))
  const time = (value: number | undefined): void => (value === undefined ? appender.appendNull() : appender.appendBigInt(BigInt(value)))
  for (const s of slices) {
    appender.appendInteger(id)
    time(s.from)
    for (const n of [s.count, s.bad, s.doubtful, s.unreliable, s.drawn]) appender.appendInteger(n)
    for (const v of [s.min, s.max, s.sum, s.reliableMin, s.reliableMax]) double(v)
    for (const point of [s.first, s.last]) {
      time(point?.t)
      double(point?.v ?? null)
    }
    double(s.area)
    time(s.known)
    time(s.estimated)
    double(s.spread)
    appender.appendBoolean(s.cutBefore)
    appender.appendBoolean(s.cutAfter)
    appender.endRow()
  }
  appender.closeSync()
}

const numberOrNull = (value: DuckDBValue | undefined): number | null => (value === null || value === undefined ? null : Number(value))
