/**
 * 100 gates, 2 metrics, a year by the minute (105 million samples) in each store, and how long a chart and a volume take. SLUICE_BENCH_DAYS shortens
 * the year, SLUICE_BENCH_STORES names the stores. Charts aim at 200 ms at the 95th percentile, volumes at 1 s.
 */
import { execFileSync } from 'node:child_process'
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { DAY_MS as DAY, HOUR_MS as HOUR } from '#history/cells.ts'
import { openDuckDb } from '#history/duckdb.ts'
import { rollUpChanged } from '#history/duckdb-rollup.ts'
import { rollUpLine } from '#history/influx-rollup.ts'
import { openHistory } from '#history/open.ts'
import type { History, Sample } from '#history/port.ts'
import { join as joinSlices, type Slice, slicesOf } from '#history/slice.ts'
import { startInflux1, tempFolder } from '#test/support/servers.ts'

const MINUTE = 60_000
const DAYS = Number(process.env['SLUICE_BENCH_DAYS'] ?? 365)
const STORES = (process.env['SLUICE_BENCH_STORES'] ?? 'duckdb,influx1').split(',')
const Y0 = Date.parse('2025-07-01T00:00:00Z')
const GATES = Array.from({ length: 100 }, (_, i) => `bench-${String(i).padStart(3, '0')}`)
const METRICS = ['flow', 'level_up'] as const
const SAMPLES = GATES.length * METRICS.length * DAYS * 1440
const log = pino({ level: 'silent' })

/** A swing of a day and one of nine, with two decimals of noise, as a sensor's value has. */
const valueAt = (gate: number, metric: number, t: number): number => {
  const minute = (t - Y0) / MINUTE
  const noise = ((minute * 7919 + gate * 104_729 + metric * 31) % 41) / 1000
  return Math.round((10 + metric + gate / 10 + 3 * Math.sin(minute / 229) + 2 * Math.sin(minute / 2063) + noise) * 1000) / 1000
}

async function percentiles(times: number, work: (i: number) => Promise<unknown>): Promise<{ p50: number; p95: number }> {
  await work(0)
  const took: number[] = []
  for (let i = 1; i <= times; i++) {
    const start = performance.now()
    await work(i)
    took.push(performance.now() - start)
  }
  took.sort((a, b) => a - b)
  const at = (share: number): number => Math.round(took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0)
  return { p50: at(0.5), p95: at(0.95) }
}

async function ask(store: string, history: History): Promise<void> {
  const gateOf = (i: number): string => GATES[(i * 37) % GATES.length] ?? ''
  const dayOf = (i: number, length: number): number => Y0 + ((i * 29) % Math.max(1, DAYS - length)) * DAY + 17 * MINUTE
  const chart = (gate: string, from: number, days: number, points: number) =>
    history.range({ gate, metrics: METRICS, from: unixMs(from), to: unixMs(from + days * DAY), points })
  const edges = Array.from({ length: DAYS + 1 }, (_, i) => unixMs(Y0 + i * DAY))
  const figures = {
    'a day raw': await percentiles(20, (i) => chart(gateOf(i), dayOf(i, 1), 1, 2000)),
    'a month': await percentiles(20, (i) => chart(gateOf(i), dayOf(i, 30), 30, 1000)),
    'a year of one gate at 1,000 buckets': await percentiles(20, (i) => chart(gateOf(i), Y0, DAYS, 1000)),
    'ten gates for a month': await percentiles(10, (i) =>
      Promise.all(Array.from({ length: 10 }, (_, k) => chart(gateOf(i * 10 + k), dayOf(i, 30), 30, 1000))),
    ),
    'yearly volume by day of 100 gates': await percentiles(5, () => history.aggregate({ gates: GATES, metric: 'flow', edges })),
  }
  for (const [name, { p50, p95 }] of Object.entries(figures)) print(`${store}: ${name}: p50 ${p50} ms, p95 ${p95} ms`)

  // What was measured is also right: one gate's year from the formula.
  const found = (await history.aggregate({ gates: [GATES[7] ?? ''], metric: 'flow', edges: [unixMs(Y0), unixMs(Y0 + DAYS * DAY)] })).get(
    GATES[7] ?? '',
  )
  let sum = 0
  for (let t = Y0; t < Y0 + DAYS * DAY - MINUTE; t += MINUTE) sum += ((valueAt(7, 0, t) + valueAt(7, 0, t + MINUTE)) / 2) * 60
  expect(Math.abs((found?.[0]?.integral ?? 0) / sum - 1)).toBeLessThan(1e-7)
}

const print = (line: string): void => void process.stdout.write(`${line}\n`)
const perSecond = (count: number, ms: number): string => `${Math.round((count / ms) * 1000).toLocaleString('en')}/s`

test.runIf(STORES.includes('duckdb'))('DuckDB', async () => {
  const folder = tempFolder('bench-duckdb')
  const path = join(folder, 'history.duckdb')
  // Through the port, as ingest writes: the first two days of all gates.
  const writtenDays = 2
  const first = await openDuckDb(path, { log })
  const start = performance.now()
  let written = 0
  for (let t = Y0; t < Y0 + writtenDays * DAY; t += 10 * MINUTE) {
    const batch: Sample[] = []
    for (let m = 0; m < 10; m++)
      for (const [g, gate] of GATES.entries())
        for (const [k, metric] of METRICS.entries()) {
          const at = unixMs(t + m * MINUTE)
          batch.push({ gate, metric, t: at, received: at, reading: good(valueAt(g, k, at)) })
        }
    expect((await first.write(batch, { rewrite: false })).kind).toBe('kept')
    written += batch.length
  }
  await first.rollUp(Number.POSITIVE_INFINITY)
  print(
    `duckdb: written by the port, rolled up: ${perSecond(written, performance.now() - start)} of ${written.toLocaleString('en')} samples`,
  )
  await first.close()

  // The rest by the store's own means, by the month, as an import would.
  const filling = performance.now()
  const instance = await DuckDBInstance.create(path, { threads: '2', memory_limit: '1GB' })
  const writer = await instance.connect()
  for (let day = writtenDays; day < DAYS; day += 30) {
    const [from, to] = [Y0 + day * DAY, Y0 + Math.min(DAYS, day + 30) * DAY]
    const minute = `((t - ${Y0}) // ${MINUTE})`
    await writer.run('begin')
    await writer.run(`insert into archive
      select id, t, t + 1000, round(10 + metric + gate / 10 + 3 * sin(${minute} / 229) + 2 * sin(${minute} / 2063) + ((${minute} * 7919 + gate * 104729 + metric * 31) % 41) / 1000, 3), 0, 0
      from (select id, regexp_extract(s.gate, '[0-9]+$')::int as gate, if(s.metric = 'flow', 0, 1) as metric, t
        from series s, range(${from}, ${to}, ${MINUTE}) as r(t)) order by id, t`)
    await rollUpChanged(writer, `(select id as series, t from series, range(${from}, ${to}, ${HOUR}) as r(t))`)
    await writer.run('commit')
  }
  writer.closeSync()
  instance.closeSync()
  print(
    `duckdb: filled and rolled up by SQL: ${perSecond(SAMPLES - written, performance.now() - filling)} of ${(SAMPLES - written).toLocaleString('en')} samples`,
  )
  print(`duckdb: ${(statSync(path).size / SAMPLES).toFixed(2)} bytes per sample, roll-ups included`)

  const history = await openDuckDb(path, { log })
  await ask('duckdb', history)
  await history.close()
  rmSync(folder, { recursive: true, force: true })
})

test.runIf(STORES.includes('influx1'))('InfluxDB 1.x', async () => {
  const server = await startInflux1()
  const post = async (lines: readonly string[]): Promise<void> => {
    const reply = await fetch(`http://127.0.0.1:${server.port}/write?db=sluice&precision=ms`, { method: 'POST', body: lines.join('\n') })
    if (reply.status !== 204) throw new Error(await reply.text())
  }
  const pending: Promise<void>[] = []
  const queue = async (lines: readonly string[]): Promise<void> => {
    if (pending.length >= 3) await pending.shift()
    pending.push(post(lines))
  }
  const start = performance.now()
  let points = 0
  for (let day = 0; day < DAYS; day++) {
    const from = Y0 + day * DAY
    for (const [g, gate] of GATES.entries()) {
      const lines: string[] = []
      for (let t = from; t < from + DAY; t += MINUTE)
        lines.push(`gate,gate=${gate} flow=${valueAt(g, 0, t)},level_up=${valueAt(g, 1, t)},rx=${t + 1000}i ${t}`)
      points += lines.length
      await queue(lines)
    }
  }
  await Promise.all(pending.splice(0))
  print(
    `influx1: line protocol from one process: ${perSecond(points, performance.now() - start)} points, ${perSecond(SAMPLES, performance.now() - start)} of ${SAMPLES.toLocaleString('en')} samples`,
  )

  // Roll-ups as the builder would write them, of the same values: reading a year back through JSON only to know them would take longer than the limit.
  const rolling = performance.now()
  let windows = 0
  for (let day = 0; day < DAYS; day++) {
    const from = Y0 + day * DAY
    const lines: string[] = []
    for (const [g, gate] of GATES.entries()) {
      const hours = METRICS.map((_, k) => Array.from({ length: 24 }, (_, h) => sliceOfHour(g, k, from + h * HOUR)))
      for (let h = 0; h < 24; h++)
        lines.push(
          rollUpLine(
            HOUR,
            { gate, from: from + h * HOUR, done: null },
            new Map(METRICS.map((metric, k) => [metric, hours[k]?.[h] as Slice])),
          ) ?? '',
        )
      const days = new Map(METRICS.map((metric, k) => [metric, joinSlices(hours[k] ?? [], { from, longestBridgedMs: HOUR }) as Slice]))
      lines.push(rollUpLine(DAY, { gate, from, done: null }, days) ?? '')
    }
    windows += lines.length
    await queue(lines)
  }
  await Promise.all(pending.splice(0))
  print(`influx1: roll-ups written: ${perSecond(windows, performance.now() - rolling)} of ${windows.toLocaleString('en')} windows`)
  const history = await openHistory(server.url, { log })
  // The builder itself, for the rate: a day of ten gates written through the port.
  const late = GATES.slice(0, 10).flatMap((gate, g) => Array.from({ length: 1440 }, (_, m) => sampleAt(gate, g, Y0 + 3 * DAY + m * MINUTE)))
  expect((await history.write(late, { rewrite: false })).kind).toBe('kept')
  const building = performance.now()
  await history.rollUp(Number.POSITIVE_INFINITY)
  print(`influx1: built by the builder: ${perSecond(10 * 25, performance.now() - building)} windows`)
  print(`influx1: ${(folderBytes(server.folder) / SAMPLES).toFixed(2)} bytes per sample, roll-ups and write-ahead log included`)
  await ask('influx1', history)
  await history.close()
  await server.stop()
})

const sampleAt = (gate: string, g: number, t: number): Sample => ({
  gate,
  metric: 'flow',
  t: unixMs(t),
  received: unixMs(t),
  reading: good(valueAt(g, 0, t)),
})
const folderBytes = (folder: string): number => Number(execFileSync('du', ['-sb', folder], { encoding: 'utf8' }).split('\t')[0])

/** What slicesOf makes of an hour by the minute, without its objects. */
function sliceOfHour(gate: number, metric: number, from: number): Slice {
  let [min, max, sum, area] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0]
  let before: number | null = null
  for (let m = 0; m < 60; m++) {
    const v = valueAt(gate, metric, from + m * MINUTE)
    min = Math.min(min, v)
    max = Math.max(max, v)
    sum += v
    if (before !== null) area += ((before + v) / 2) * MINUTE
    before = v
  }
  const [first, last] = [valueAt(gate, metric, from), before ?? 0]
  return {
    from,
    count: 60,
    bad: 0,
    doubtful: 0,
    unreliable: 0,
    drawn: 60,
    min,
    max,
    sum,
    reliableMin: min,
    reliableMax: max,
    first: { t: from, v: first },
    last: { t: from + 59 * MINUTE, v: last },
    area,
    known: 59 * MINUTE,
    estimated: 0,
    spread: 0,
    cutBefore: false,
    cutAfter: false,
  }
}

test('the short way of this bench to a roll-up is the long one', () => {
  const samples = Array.from({ length: 60 }, (_, m) => sampleAt('g', 3, Y0 + m * MINUTE))
  expect(slicesOf(samples, HOUR)).toEqual([sliceOfHour(3, 0, Y0)])
})
