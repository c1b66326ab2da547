/**
 * Ten million rows out of the API as CSV and as Parquet: how much memory the API's process takes (limit 300 MB), how long, and whether the sums of
 * the file are those that the API tells. InfluxDB and PostgreSQL beside it, as a center has them. SLUICE_BENCH_ROWS shortens it. A month of
 * one gate as XLSX is opened in LibreOffice where that is installed (Debian: libreoffice-calc-nogui).
 */
import { spawnSync } from 'node:child_process'
import { createWriteStream, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { CompareReply } from '#contract/http/volume.ts'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { openHistory } from '#history/open.ts'
import type { Sample } from '#history/port.ts'
import { type Program, residentMb, root, startProgram } from '../support/program.ts'
import { freePort, type RealServer, startInflux1, startPostgres, tempFolder } from '../support/servers.ts'

const ROWS = Number(process.env['SLUICE_BENCH_ROWS'] ?? 10_000_000)
const MOST_MB = 300
const MINUTE = 60_000
const METRICS = ['flow', 'level_up'] as const
const FROM = Date.parse('2026-05-01T00:00:00Z')
const WHO = { login: 'bench', password: 'nobody else is on this loopback' }
const folder = tempFolder('bench-export')
const print = (line: string): void => void process.stdout.write(`${line}\n`)

let servers: RealServer[] = []
let api: Program
let address = ''
let cookie = ''
let gates: string[] = []
let minutes = 0
let to = 0

beforeAll(async () => {
  const [influx, postgres] = await Promise.all([startInflux1(), startPostgres()])
  servers = [influx, postgres]
  gates = (await loadDistrict(join(root, 'districts/hetao'))).structures.map((s) => s.id)
  minutes = Math.ceil(ROWS / gates.length / METRICS.length)
  to = FROM + minutes * MINUTE
  const config = join(folder, 'sluice.yaml')
  const settings = { history: { url: influx.url }, registry: { url: postgres.url }, mqtt: { url: 'mqtt://127.0.0.1:9' } }
  writeFileSync(config, stringify({ ...settings, api: { http: { port: await freePort() } } }))
  const seed = await startProgram('seed', ['seed', '--config', config, '--district', join(root, 'districts/hetao')], {
    ready: 'rows added',
  })
  await seed.stop()
  const person = ['person', 'add', WHO.login, '--config', config, '--name', 'Bench', '--role', 'analyst']
  const added = spawnSync(process.execPath, ['dist/sluice.js', ...person], { cwd: root, input: WHO.password, encoding: 'utf8' })
  if (added.status !== 0) throw new Error(added.stderr)
  api = await startProgram('api', ['api', '--config', config], { ready: 'api runs' })
  address = /"address":"([^"]+)"/.exec(api.log())?.[1] ?? ''
  await fill(influx.url)
  const signedIn = await fetch(`${address}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(WHO),
  })
  expect(signedIn.status).toBe(200)
  cookie = signedIn.headers
    .getSetCookie()
    .map((c) => c.split(';')[0])
    .join('; ')
}, 1_200_000)
afterAll(async () => {
  await api?.kill()
  for (const server of servers) await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Through the port, as ingest writes. */
async function fill(url: string): Promise<void> {
  const history = await openHistory(url, { log: pino({ level: 'silent' }) })
  for (const [g, gate] of gates.entries()) {
    for (let first = 0; first < minutes; first += 10_000) {
      const samples = Array.from({ length: Math.min(10_000, minutes - first) }, (_, i): Sample[] => {
        const t = unixMs(FROM + (first + i) * MINUTE)
        const at = { gate, t, received: unixMs(t + 1000) }
        const [flow, level] = [20 + g / 10 + 5 * Math.sin((first + i) / 211), 1.5 + Math.sin((first + i) / 97) / 5]
        return [
          { ...at, metric: 'flow', reading: good(Math.round(flow * 1000) / 1000) },
          { ...at, metric: 'level_up', reading: good(Math.round(level * 1000) / 1000) },
        ]
      })
      expect((await history.write(samples.flat(), { rewrite: false })).kind).toBe('kept')
    }
  }
  const start = performance.now()
  await history.rollUp(Number.POSITIVE_INFINITY)
  print(`rolled up in ${((performance.now() - start) / 1000).toFixed(0)} s`)
  await history.close()
}

const get = async (path: string): Promise<Response> => {
  const reply = await fetch(`${address}/api/v1${path}`, { headers: { cookie } })
  if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${await reply.text()}`)
  return reply
}

/** @returns the file, with the highest resident memory of the API while it was written. */
async function download(query: string, name: string): Promise<{ file: string; mb: number; seconds: number }> {
  const file = join(folder, name)
  const start = performance.now()
  let mb = 0
  const watch = setInterval(() => void residentMb(api.pid()).then((now) => (mb = Math.max(mb, now))), 250)
  try {
    const { body } = await get(`/export?from=${FROM}&to=${to}&metrics=${METRICS.join()}&${query}`)
    if (!body) throw new Error('nothing came')
    await pipeline(Readable.fromWeb(body), createWriteStream(file))
  } finally {
    clearInterval(watch)
  }
  return { file, mb, seconds: (performance.now() - start) / 1000 }
}

/** Of the file, by DuckDB: how many rows, and each gate's flow as the API's volumes have it. */
async function sumsOf(source: string, time: string): Promise<{ rows: number; m3: Map<string, number> }> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const [[rows] = []] = await (await connection.run(`select count(*) from ${source}`)).getRows()
  const sums = await connection.run(`with s as (select gate, ${time} as t, value as v, lag(${time}) over w as pt, lag(value) over w as pv
    from ${source} where metric = 'flow' window w as (partition by gate order by ${time}))
    select gate, sum((v + pv) / 2 * (t - pt) / 1000) from s where pt is not null group by gate`)
  const m3 = new Map((await sums.getRows()).map(([gate, sum]) => [String(gate), Number(sum)]))
  connection.closeSync()
  instance.closeSync()
  return { rows: Number(rows), m3 }
}

test.each(['csv', 'parquet'] as const)(`${ROWS.toLocaleString('en')} rows as %s`, async (format) => {
  const before = await residentMb(api.pid())
  const { file, mb, seconds } = await download(`format=${format}`, `all.${format}`)
  const { rows, m3 } =
    format === 'csv' ? await sumsOf(`read_csv('${file}')`, 'time_ms') : await sumsOf(`read_parquet('${file}')`, 'epoch_ms(time)')
  print(
    `${format}: ${rows.toLocaleString('en')} rows, ${(statSync(file).size / 1e6).toFixed(0)} MB in ${seconds.toFixed(0)} s; API ${before.toFixed(0)} MB before, ${mb.toFixed(0)} MB at most (limit ${MOST_MB})`,
  )
  expect(rows).toBe(gates.length * METRICS.length * minutes)
  const last = FROM + (minutes - 1) * MINUTE
  const told = (await (await get(`/gates/compare?from=${FROM}&to=${last + 1}&step=year&metric=flow`)).json()) as CompareReply
  let worst = 0
  for (const gate of gates) {
    const volume = (told.gates[gate]?.volume_m3 ?? []).reduce((sum: number, v) => sum + (v ?? 0), 0)
    worst = Math.max(worst, Math.abs(volume / (m3.get(gate) ?? Number.NaN) - 1))
  }
  print(`${format}: the volumes of ${gates.length} gates from the file are those of the API within ${worst.toExponential(1)}`)
  expect(worst).toBeLessThan(1e-9)
  expect(mb).toBeLessThan(MOST_MB)
})

test('a month of one gate as XLSX opens in LibreOffice', async () => {
  const [gate = ''] = gates
  const { file, mb } = await download(`format=xlsx&gates=${gate}`, 'gate.xlsx')
  const office = spawnSync('soffice', ['--headless', '--convert-to', 'csv', '--outdir', join(folder, 'office'), file], {
    encoding: 'utf8',
    env: { ...process.env, HOME: folder },
  })
  if (office.error) return print('xlsx: LibreOffice is not installed, the file was not opened')
  const [converted = ''] = readdirSync(join(folder, 'office'))
  const lines = readFileSync(join(folder, 'office', converted), 'utf8')
    .trim()
    .split('\n')
  print(
    `xlsx: ${(lines.length - 1).toLocaleString('en')} rows read by LibreOffice; API ${mb.toFixed(0)} MB at most; the first: ${lines[1]}`,
  )
  expect(lines.length - 1).toBe(METRICS.length * minutes)
  expect(lines[0]).toContain('gate,metric,time')
})
