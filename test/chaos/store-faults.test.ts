/** A fleet with a backlog older than the store keeps, through Mosquitto and ingest, into a real InfluxDB that a proxy answers for, badly. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { parseConfig } from '#contract/config.ts'
import { unixMs } from '#contract/units.ts'
import { openHistory } from '#history/open.ts'
import { openIngest } from '#ingest/main.ts'
import { IngestSettings } from '#ingest/settings.ts'
import { openRegistry } from '#registry/open.ts'
import { fleetValue } from '#simulators/fleet/site.ts'
import { FLEET_DEFAULTS, fleetDistrict, openFleet } from '#simulators/fleet.ts'
import { root } from '../support/program.ts'
import { startInflux1, startMosquitto, tempFolder, until } from '../support/servers.ts'
import { openStoreProxy, type StoreFault } from '../support/store-proxy.ts'

const HOUR_MS = 3_600_000
const STEP_MS = 5000
/** 75 minutes of readings: the store keeps one hour. */
const BACKLOG = 900
/** The store drops what is older than this at the moment of the write; the test takes two minutes at most. */
const LEEWAY_MS = 120_000
const METRICS = ['level_up', 'battery']
/** Batches of the older hour have some of it that is refused: in the store it is text. */
const SPOILT = 'rssi'
const FAULTS: readonly StoreFault[] = [
  'error',
  'none',
  'kept, then error',
  'none',
  'busy',
  'none',
  'cut off',
  'none',
  'kept, then cut off',
  'none',
  'slow',
  'none',
]
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

test('whatever InfluxDB answers, every reading that it can take is in history once with its value, and what it never takes is a dead letter and holds up nothing', async () => {
  const folder = tempFolder('store-faults')
  closers.push(() => rmSync(folder, { recursive: true, force: true }))
  const log = pino({ level: process.env['SLUICE_TEST_LOG'] ?? 'silent' })
  const [mosquitto, influx] = await Promise.all([startMosquitto(), startInflux1()])
  closers.push(
    () => mosquitto.stop(),
    () => influx.stop(),
  )
  const say = async (path: string, body: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${influx.port}${path}`, { method: 'POST', body })).text()
  const shorter = encodeURIComponent('ALTER RETENTION POLICY "autogen" ON "sluice" DURATION 1h SHARD DURATION 1h')
  expect(await say(`/query?q=${shorter}`, '')).not.toContain('error')

  const district = fleetDistrict(2, { structuresPerSite: 1 })
  // A conflict holds within a shard: here in the older one of the two in which the last hour lies.
  const older = Date.now() - HOUR_MS + LEEWAY_MS
  expect(await say('/write?db=sluice&precision=ms', `gate,gate=elsewhere ${SPOILT}="text" ${older}`)).toBe('')

  const proxy = await openStoreProxy(influx.port, { faults: FAULTS, slowMs: 2000 })
  closers.push(() => proxy.close())
  const registry = await openRegistry(`pglite:${join(folder, 'registry')}`, { log, migrationsFolder: join(root, 'registry', 'migrations') })
  closers.push(() => registry.close())
  await registry.district.seed(district)
  const history = await openHistory(`influx1://127.0.0.1:${proxy.port}/sluice`, { log })
  closers.push(() => history.close())
  const ingest = await openIngest(
    parseConfig(IngestSettings, { file: 'test', text: '' }),
    { broker: { url: mosquitto.url }, history, registry, log },
    new AbortController().signal,
  )
  closers.push(() => ingest.close())

  const began = Date.now()
  const fleet = await openFleet(
    { ...FLEET_DEFAULTS, brokerUrl: mosquitto.url, district, everyMs: 0, metrics: [...METRICS, SPOILT], backlog: BACKLOG, retryMs: 3000 },
    { log, now: Date.now },
  )
  closers.push(() => fleet.close())
  await until(async () => {
    for (const fault of FAULTS) expect(proxy.met.get(fault) ?? 0, fault).toBeGreaterThan(0)
  }, 60_000)
  proxy.heal()
  expect(await fleet.delivered({ timeoutMs: 60_000 })).toBe(true)
  const ended = Date.now()
  expect(ended - began).toBeLessThan(LEEWAY_MS)

  const counts = { found: 0, missing: 0, extra: 0, wrong: 0, refused: 0 }
  for (const { id: gate } of district.structures) {
    for (const metric of METRICS) {
      const times = new Set<number>()
      for await (const { t, reading } of history.samples({ gate, metrics: [metric], from: unixMs(0), to: unixMs(ended) })) {
        counts.found++
        if (times.has(t)) counts.extra++
        times.add(t)
        const value = reading.quality === 'good' ? Math.fround(reading.value) : Number.NaN
        if (value !== fleetValue(metric, FLEET_DEFAULTS.seed, gate, t)) counts.wrong++
      }
      const newest = Math.max(...times)
      for (let i = 0; i < BACKLOG; i++) {
        const t = newest - i * STEP_MS
        if (times.delete(t)) continue
        if (t > ended - HOUR_MS) counts.missing++
        else counts.refused++
      }
      counts.extra += times.size
    }
  }
  process.stdout.write(`store faults: ${JSON.stringify(counts)}; writes by fault ${JSON.stringify(Object.fromEntries(proxy.met))}\n`)
  expect(counts).toMatchObject({ missing: 0, extra: 0, wrong: 0 })
  expect(counts.refused).toBeGreaterThan(0)
  const { items } = await registry.deadLetters.list({ limit: 1000, offset: 0 })
  for (const { id } of district.structures) {
    const told = items.filter((d) => d.device === id).map((d) => `${d.metric} ${d.reason}`)
    expect(told.join('; '), id).toMatch(/rssi .*field type conflict/)
    expect(told.join('; '), id).toMatch(/beyond retention policy/)
  }
})
