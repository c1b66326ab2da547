import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { getTableName } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import pg from 'pg'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DISTRICT } from '#api/testing/district.ts'
import { bad, good, stale } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { DAY_MS, HOUR_MS } from '#history/cells.ts'
import { openHistory } from '#history/open.ts'
import type { History, Sample } from '#history/port.ts'
import { verifyChain } from '#registry/audit.ts'
import { COPIED } from '#registry/copy.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import * as schema from '#registry/schema.ts'
import { type RealServer, startInflux1, startPostgres, tempFolder } from '#test/support/servers.ts'
import { type Backup, backUp } from './backup.ts'
import { folders } from './folders.ts'
import { restore } from './restore.ts'

const log = pino({ level: 'silent' })
const root = tempFolder('backup')
type Stores = { registry: Registry; history: History }
const openStores = async (registry: string, history: string): Promise<Stores> => ({
  registry: await openRegistry(registry, { log, migrationsFolder: folders.migrations }),
  history: await openHistory(history, { log }),
})
const close = async ({ registry, history }: Stores): Promise<void> => {
  await history.close()
  await registry.close()
}

const GATE = 'yc-zh-03'
const DAY0 = Date.UTC(2026, 6, 1)
const DAYS = 2
/** From here on samples are kept; before it roll-ups alone tell of the flow. */
const KEPT = DAY0 + DAY_MS
const KEEP = { samples: KEPT, minutes: DAY0, hours: 0 }
const ALL = { from: unixMs(DAY0), to: unixMs(DAY0 + DAYS * DAY_MS) }

/** The flow every 15 s for two hours a day, so that it has roll-ups of a minute; the time of receipt belongs to the point, as InfluxDB keeps it. */
function samplesOfGate(): Sample[] {
  const samples: Sample[] = []
  for (let t = DAY0; t < DAY0 + DAYS * DAY_MS; t += 15_000) {
    const i = (t - DAY0) / 15_000
    if (i % 20 !== 0 && t % DAY_MS > 2 * HOUR_MS) continue
    const name = { gate: GATE, t: unixMs(t), received: unixMs(t + 1500) }
    samples.push({ ...name, metric: 'flow', reading: i % 97 === 5 ? bad('timeout') : good(3 + Math.sin(i / 200)) })
    if (i % 60 === 0) samples.push({ ...name, metric: 'level_up', reading: i % 300 === 0 ? stale(1.5) : good(1.5 + i / 1e5) })
    if (i % 240 === 0) samples.push({ ...name, metric: 'odd\u2028 name', reading: good(i), verdict: { level: 'doubtful', cause: 'spike' } })
  }
  return samples
}

async function fill({ registry, history }: Stores): Promise<void> {
  await registry.district.seed(DISTRICT)
  const by = { by: 'li', at: unixMs(DAY0) }
  await registry.people.add({
    login: 'li',
    name: '李',
    passwordHash: '$argon2id$x',
    mustChangePassword: false,
    grants: [{ role: 'analyst', area: 'yichang' }],
  })
  for (let i = 0; i < 20; i++)
    await registry.audit.append({
      at: DAY0 + i,
      who: 'li',
      action: 'test',
      subject: `${i}`,
      details: { 值: i / 3, nested: [null, '\\u0000"'] },
    })
  const ruling = { kind: 'value' as const, value: 0.1 + 0.2 }
  await registry.corrections.add({
    gate: GATE,
    metric: 'flow',
    from: unixMs(KEPT),
    to: unixMs(KEPT + HOUR_MS),
    ruling,
    reason: '检修',
    ...by,
  })
  await registry.gaps.recordLost([
    {
      node: { group: 'yichang', node: 'yc-s012' },
      batch: 2n ** 63n - 1n,
      records: [{ structure: GATE, from: KEPT, to: KEPT + 60_000, readings: 12, why: 'outbox_full' }],
      at: unixMs(KEPT),
    },
  ])
  await registry.births.put(
    { group: 'yichang', node: 'yc-s012', device: GATE },
    { at: DAY0, receipts: true, metrics: [{ name: 'nul\0 and \u2028', alias: 1, datatype: 'Float' }] },
  )
  await registry.manualReadings.enter([{ gate: GATE, kind: 'flow', t: DAY0, value: 3.1, observer: '张三', note: '' }], by)
  await registry.deadLetters.add(
    [{ group: 'yichang', node: 'yc-s012', device: 'new', metric: null, reason: 'gate new is not registered', payload: 'AAAA' }],
    unixMs(DAY0),
  )
  expect(await history.write(samplesOfGate(), { rewrite: false })).toEqual({ kind: 'kept' })
  await history.rollUp(DAY0 + 2 * DAYS * DAY_MS)
  await history.expire(KEEP)
}

/** What the people of a system could ask of it. */
async function told({ registry, history }: Stores): Promise<Record<string, unknown>> {
  // As ingest does when it starts: a chart goes by what is kept.
  await history.expire(KEEP)
  const samples: Sample[] = []
  for (const metric of ['flow', 'level_up', 'odd\u2028 name'])
    for await (const s of history.samples({ gate: GATE, metrics: [metric], ...ALL })) samples.push(s)
  const edges = (step: number) => Array.from({ length: (DAYS * DAY_MS) / step + 1 }, (_, i) => unixMs(DAY0 + i * step))
  const gates = [GATE]
  const corrections = await registry.corrections.all({ gates, ...ALL })
  return {
    samples,
    hours: toTwelveDigits(await history.aggregate({ gates, metric: 'flow', edges: edges(HOUR_MS) })),
    days: toTwelveDigits(await history.aggregate({ gates, metric: 'level_up', edges: edges(DAY_MS) })),
    minutes: toTwelveDigits(
      new Map([
        [GATE, await history.range({ gate: GATE, metrics: ['flow'], from: unixMs(DAY0), to: unixMs(DAY0 + 2 * HOUR_MS), points: 200 })],
      ]),
    ),
    corrections,
    lost: await registry.gaps.lost('yc-s012', ALL),
    births: await registry.births.all(),
    people: await registry.people.list(),
    manual: await registry.manualReadings.list({ gates, ...ALL }),
    letters: await registry.deadLetters.list({ limit: 10, offset: 0 }),
    district: [await registry.district.areas(), await registry.district.canals(), await registry.district.structures()],
    audit: (await registry.audit.after(0, 1000)).filter((entry) => !entry.action.startsWith('backup.')),
  }
}

async function emptyServers(name: string): Promise<Stores> {
  const client = new pg.Client({ connectionString: postgres.url })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const url = new URL(postgres.url)
  url.pathname = `/${name}`
  return await openStores(url.href, `influx1://127.0.0.1:${influx.port}/${name}`)
}

/** Each store adds up in its own order. */
const toTwelveDigits = (found: ReadonlyMap<string, unknown>): unknown =>
  JSON.parse(JSON.stringify(Object.fromEntries(found), (_, v: unknown) => (typeof v === 'number' ? Number(v.toPrecision(12)) : v)))

let source: Stores
let truth: Record<string, unknown>
let backup: Backup
let postgres: RealServer
let influx: RealServer
beforeAll(async () => {
  ;[postgres, influx] = await Promise.all([startPostgres(), startInflux1()])
  source = await openStores(postgres.url, influx.url)
  await fill(source)
  truth = await told(source)
  mkdirSync(join(root, 'to'))
  backup = await backUp(source, join(root, 'to'))
}, 60_000)
afterAll(async () => {
  await close(source)
  await Promise.all([postgres.stop(), influx.stop()])
  rmSync(root, { recursive: true, force: true })
})

test('a backup of PostgreSQL and InfluxDB restored into PGlite and DuckDB, and from there back, tells the same of everything', async () => {
  expect(backup.counts.samples).toBe((truth['samples'] as Sample[]).length)
  // Two hours by the minute, and each hour and the day of three metrics.
  expect(backup.counts.roll_ups).toBe(120 + 3 * 24 + 3)
  expect(statSync(backup.path).mode & 0o077).toBe(0)

  const embedded = await openStores(`pglite:${join(root, 'registry')}`, `duckdb:${join(root, 'history.duckdb')}`)
  await restore(embedded, backup.path)
  expect(await told(embedded)).toEqual(truth)
  const next = 'restore into empty stores: name a new folder or database, or empty these first'
  const full = { code: 'CONFLICT', message: 'the registry is not empty: its table areas holds rows', next }
  await expect(restore(embedded, backup.path)).rejects.toMatchObject(full)
  const back = await backUp(embedded, join(root, 'back.gz'))
  expect({ ...back.counts, rows: 0 }).toEqual({ ...backup.counts, rows: 0 })
  await close(embedded)

  const again = await emptyServers('again')
  await restore(again, back.path)
  expect(await told(again)).toEqual(truth)
  // 20 of before, two backups, two restores.
  expect(await verifyChain(again.registry.audit)).toMatchObject({ kind: 'whole', entries: 24, unchained: 0 })
  // New rows get numbers of their own.
  const by = { by: 'li', at: unixMs(DAY0) }
  const added = await again.registry.corrections.add({ gate: GATE, metric: 'flow', ...ALL, ruling: { kind: 'bad' }, reason: 'x', ...by })
  expect(added.id).toBe(2)
  await close(again)
})

test('a history that is not empty, a damaged file and one of another version are refused, and nothing is put back', async () => {
  const fresh = await emptyServers('fresh')
  const before = await told(source)
  const message = `the history is not empty: it holds gate ${GATE}`
  await expect(restore({ ...fresh, history: source.history }, backup.path)).rejects.toMatchObject({ code: 'CONFLICT', message })
  expect(await told(source)).toEqual(before)

  const lines = gunzipSync(readFileSync(backup.path)).toString().split('\n')
  const version = await fresh.registry.copy.version()
  const [bent, cut, old] = ['bent', 'cut', 'old'].map((name) => join(root, `${name}.gz`)) as [string, string, string]
  writeFileSync(bent, gzipSync(lines.join('\n').replace('检修', '检查')))
  writeFileSync(cut, readFileSync(backup.path).subarray(0, -100))
  for (const file of [bent, cut])
    await expect(restore(fresh, file)).rejects.toMatchObject({ code: 'DATA_CORRUPT', message: expect.stringContaining(file) })
  const body = `${[lines[0]?.replace(`"registry_version":${version}`, '"registry_version":1'), ...lines.slice(1, -2)].join('\n')}\n`
  const sha256 = createHash('sha256').update(body).digest('hex')
  writeFileSync(old, gzipSync(`${body}${lines.at(-2)?.replace(backup.sha256, sha256)}\n`))
  await expect(restore(fresh, old)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('of registry version 1 ') })
  expect(await fresh.registry.copy.filled()).toBeUndefined()
  expect(await fresh.history.contents()).toEqual({ gates: [], metrics: [] })
  await close(fresh)
  await expect(backUp(source, backup.path)).rejects.toMatchObject({ code: 'CONFLICT', message: `${backup.path} is there already` })
})

test('every table of the registry is in a backup, but for sessions and leases', async () => {
  const files = readdirSync(new URL('../registry/tables', import.meta.url)).filter((file) => file.endsWith('.ts'))
  const modules = await Promise.all(
    files.map((file) => import(`../registry/tables/${file.slice(0, -3)}.ts`) as Promise<Record<string, PgTable>>),
  )
  const tables = [...Object.values(schema), ...modules.flatMap((file) => Object.values(file))]
  const names = tables.map((table) => getTableName(table)).filter((name) => name !== 'sessions' && name !== 'leases')
  expect(COPIED.map((table) => getTableName(table)).toSorted()).toEqual([...new Set(names)].toSorted())
})
