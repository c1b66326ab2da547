import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { strFromU8, unzipSync } from 'fflate'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { VolumeReply } from '#contract/http/volume.ts'
import { bad, good, type Reading } from '#contract/reading.ts'
import { milliseconds, unixMs } from '#contract/units.ts'
import type { Sample } from '#history/port.ts'
import { volumeOf } from '#hydraulics/volume.ts'
import { startPostgres, tempFolder } from '#test/support/servers.ts'
import type { App } from '../../../app.ts'
import { expectProblem } from '../../../testing/problem.ts'
import { cookieOf, NO_BROKER, openStores, type Stores, startApp } from '../../../testing/start-api.ts'

const MINUTE = 60_000
const D0 = Date.parse('2026-07-01T00:00:00Z')
const END = D0 + 30 * 3_600_000
const folder = tempFolder('export')
let stores: Stores
let app: App
let chief: string

const sample = (gate: string, metric: string, minute: number, reading: Reading): Sample => {
  const t = unixMs(D0 + minute * MINUTE)
  return { gate, metric, t, received: t, reading }
}
const flowAt = (minute: number): Reading => (minute % 50 === 7 ? bad('timeout') : good(10 + Math.sin(minute / 90)))
const SAMPLES: Sample[] = Array.from({ length: 30 * 60 }, (_, minute) => [
  sample('yc-zh-03', 'flow', minute, flowAt(minute)),
  sample('yc-zh-03', 'level_up', minute, good(1.5)),
  sample('yc-zh-03', 'opening', minute, good(0.128)),
  sample('yc-zh-03', 'opening_2', minute, good(0)),
  sample('wl-zh-01', 'flow', minute, good(3)),
]).flat()

beforeAll(async () => {
  stores = await openStores(folder)
  app = (await startApp({ ...stores, mqttUrl: NO_BROKER })).app
  expect(await stores.history.write(SAMPLES, { rewrite: false })).toEqual({ kind: 'kept' })
  chief = await cookieOf(app, 'chief')
})
afterAll(async () => {
  await app.close()
  await stores.close()
  rmSync(folder, { recursive: true, force: true })
})
const get = (url: string, cookie = chief) => app.inject({ url: `/api/v1${url}`, headers: { cookie } })
const span = `from=${D0}&to=${END}`

test('the CSV holds every sample once, and the volume of its flow is the API’s', async () => {
  const reply = await get(`/export?${span}&metrics=flow&gates=yc-zh-03`)
  expect(reply.headers['content-disposition']).toContain('.csv')
  const [head, ...lines] = reply.body.trim().split('\r\n')
  expect(head).toBe('gate,metric,time,time_ms,value,quality,verdict')
  expect(lines[0]).toBe(`yc-zh-03,flow,2026-07-01T08:00:00.000+08:00,${D0},10,good,`)
  expect(lines[7]).toBe(`yc-zh-03,flow,2026-07-01T08:07:00.000+08:00,${D0 + 7 * MINUTE},,timeout,`)
  expect(lines).toHaveLength(30 * 60)
  const samples = lines.map((line) => {
    const [, , , t, value, quality] = line.split(',')
    return { t: unixMs(Number(t)), reading: quality === 'good' ? good(Number(value)) : bad('timeout') }
  })
  const day = {
    from: unixMs(D0),
    to: unixMs(D0 + 86_400_000),
    expectedEvery: milliseconds(MINUTE),
    longestBridged: milliseconds(60 * MINUTE),
  }
  const { periods } = (await get(`/gates/yc-zh-03/volume?${span}&step=day`)).json<VolumeReply>()
  expect(periods[0]?.volume_m3).toBeCloseTo(volumeOf(samples, day).volume ?? Number.NaN, 4)
})

test('DuckDB reads the Parquet: rows, sum, times and BADs are those that were written', async () => {
  const reply = await get(`/export?${span}&metrics=flow,level_up&format=parquet`)
  const file = join(folder, 'export.parquet')
  writeFileSync(file, reply.rawPayload)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const rows = await (
    await connection.run(
      `select gate, metric, count(*), sum(value), count(*) filter (quality <> 'good'), epoch_ms(min(time)), typeof(any_value(time)) from '${file}' group by all order by all`,
    )
  ).getRows()
  connection.closeSync()
  instance.closeSync()
  const sum = SAMPLES.reduce(
    (n, s) => n + (s.gate === 'yc-zh-03' && s.metric === 'flow' && s.reading.quality === 'good' ? s.reading.value : 0),
    0,
  )
  expect(rows.map((r) => [r[0], r[1], Number(r[2]), Number(r[4]), Number(r[5])])).toEqual([
    ['wl-zh-01', 'flow', 1800, 0, D0],
    ['yc-zh-03', 'flow', 1800, 36, D0],
    ['yc-zh-03', 'level_up', 1800, 0, D0],
  ])
  expect(Number(rows[1]?.[3])).toBeCloseTo(sum, 6)
  expect(rows[0]?.[6]).toMatch(/^TIMESTAMP/)
})

test('the workbook has a row for each sample, times that a sheet can reckon with, and its parts agree', async () => {
  const files = unzipSync(new Uint8Array((await get(`/export?${span}&metrics=flow&gates=yc-zh-03&format=xlsx`)).rawPayload))
  const part = (name: string): string => strFromU8(files[name] ?? new Uint8Array())
  const sheet = part('xl/worksheets/sheet1.xml')
  expect(sheet.match(/<row>/g)?.length).toBe(1 + 30 * 60)
  const [, serial, ms, value] = /<c s="1"><v>([\d.]+)<\/v><\/c><c><v>(\d+)<\/v><\/c><c><v>([\d.]+)<\/v>/.exec(sheet) ?? []
  // 2026-07-01 08:00 is day 46204 and a third.
  expect(Number(serial)).toBeCloseTo(46_204 + 1 / 3, 9)
  expect([Number(ms), Number(value)]).toEqual([D0, 10])
  expect(part('xl/workbook.xml')).toContain('name="samples 1"')
  expect(part('[Content_Types].xml')).toContain('/xl/worksheets/sheet1.xml')
  const empty = unzipSync(new Uint8Array((await get(`/export?from=0&to=1&metrics=flow&format=xlsx`)).rawPayload))
  expect(Object.keys(empty)).toContain('xl/worksheets/sheet1.xml')
})

test('PostgreSQL takes the SL 323 rows into tables of the standard, with elevations, centimetres and Beijing time', async () => {
  const server = await startPostgres()
  const client = new pg.Client({ connectionString: server.url })
  try {
    await client.connect()
    await client.query(`
      create table ST_STBPRP_B (STCD char(8) primary key, STNM varchar(30), RVNM varchar(30), LGTD decimal(10,6), LTTD decimal(10,6), STTP char(2),
        DTPR decimal(7,3), ADMAUTH varchar(20), USFL char(1), COMMENTS varchar(200), MODITIME timestamp);
      create table ST_WAS_R (STCD char(8), TM timestamp, UPZ decimal(7,3), DWZ decimal(7,3), TGTQ decimal(9,3), MSQMT char(1), primary key (STCD, TM));
      create table ST_RIVER_R (STCD char(8), TM timestamp, Z decimal(7,3), Q decimal(9,3), XSAVV decimal(5,3), MSQMT char(1), primary key (STCD, TM));
      create table ST_GATE_R (STCD char(8), TM timestamp, EXKEY char(1), EQPTP char(2), EQPNO char(2), GTOPNUM int, GTOPHGT decimal(5,2),
        GTQ decimal(9,3), MSQMT char(1), primary key (STCD, TM, EXKEY))`)
    for (const table of ['ST_STBPRP_B', 'ST_WAS_R', 'ST_GATE_R', 'ST_RIVER_R'])
      await client.query((await get(`/export/sl323?${span}&table=${table}&gates=yc-zh-03&stcd=yc-zh-03:40100001`)).body)
    const all = async (sql: string) => (await client.query(sql)).rows
    expect(await all('select STCD, STNM, DTPR from ST_STBPRP_B')).toEqual([{ stcd: '40100001', stnm: '试验闸', dtpr: '1030.000' }])
    const weir = await all(`select TM::text as tm, UPZ as upz, TGTQ as q from ST_WAS_R order by 1`)
    expect(weir).toHaveLength(30)
    expect(weir[0]).toEqual({ tm: '2026-07-01 08:59:00', upz: '1031.500', q: (10 + Math.sin(59 / 90)).toFixed(3) })
    expect(await all(`select EXKEY as k, GTOPNUM as n, GTOPHGT as h from ST_GATE_R where TM = '2026-07-01 08:59:00' order by 1`)).toEqual([
      { k: 'A', n: 1, h: '0.13' },
      { k: 'B', n: 0, h: '0.00' },
    ])
  } finally {
    await client.end()
    await server.stop()
  }
})

test('an export tells how far it is, can be cancelled, and its file is then cut off, not ended', async () => {
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  const headers = { cookie: chief }
  const many = Array.from({ length: 200_000 }, (_, i) => sample('yc-zh-04', 'battery', i, good(12 + (i % 100) / 100)))
  for (let i = 0; i < many.length; i += 20_000) await stores.history.write(many.slice(i, i + 20_000), { rewrite: false })
  const url = `${address}/api/v1/export?from=${D0}&to=${D0 + 200_000 * MINUTE}&metrics=battery&gates=yc-zh-04&id=my-export-1`
  const reply = await fetch(url, { headers })
  const body = reply.body?.getReader()
  await body?.read()
  const [running] = (await get('/exports')).json<{ id: string; rows: number; share: number }[]>()
  expect(running?.id).toBe('my-export-1')
  expect(running?.rows).toBeGreaterThan(0)
  expect(running?.share).toBeLessThan(1)
  expectProblem(await get(`/exports/my-export-1`, await cookieOf(app, 'wang')), 404, 'NOT_FOUND')
  expect((await app.inject({ method: 'DELETE', url: '/api/v1/exports/my-export-1', headers: { cookie: chief } })).statusCode).toBe(204)
  const rest = async (): Promise<void> => {
    while (!(await body?.read())?.done);
  }
  await expect(rest()).rejects.toThrow()
  expect((await get('/exports')).json()).toEqual([])
})

test.each([
  [`/export?${span}&metrics=nonsense`, 400, 'BAD_REQUEST'],
  [`/export?from=5&to=5&metrics=flow`, 400, 'BAD_REQUEST'],
  [`/export?${span}&metrics=flow&gates=nowhere`, 404, 'NOT_FOUND'],
  [`/export?${span}&metrics=flow&format=doc`, 400, 'BAD_REQUEST'],
  [`/export/sl323?${span}&table=ST_WAS_R&gates=yc-zh-03&stcd=yc-zh-03:123456789`, 400, 'BAD_REQUEST'],
  [`/exports/not-running`, 404, 'NOT_FOUND'],
])('%s is refused with %i', async (url, status, code) => {
  expectProblem(await get(url), status, code)
})
