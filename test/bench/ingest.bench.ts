/**
 * A fleet of virtual sites → Mosquitto → ingest → a store, in values/s, beside the same number of values written to the same store in bulk with no
 * pipeline, in the same run. Aim: at least half of that with one worker; what fleet, broker and a host that only sends receipts reach on this machine
 * stands beside. Then a steady load for SLUICE_BENCH_MINUTES (10): delay from publish to
 * receipt, and memory. SLUICE_BENCH_STORES names the stores.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { District } from '#contract/district.ts'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { encodeLine, linesOf } from '#history/line-protocol.ts'
import { openHistory } from '#history/open.ts'
import type { Sample } from '#history/port.ts'
import { openRegistry } from '#registry/open.ts'
import { fleetValue } from '#simulators/fleet/site.ts'
import { FLEET_DEFAULTS, fleetDistrict, openFleet } from '#simulators/fleet.ts'
import { bundled } from '../support/bundle.ts'
import { type Program, residentMb, root, startProgram } from '../support/program.ts'
import { quantile } from '../support/quantile.ts'
import { startInflux1, startMosquitto, startPostgres, tempFolder } from '../support/servers.ts'

const STORES = (process.env['SLUICE_BENCH_STORES'] ?? 'influx1,duckdb').split(',')
const MINUTES = Number(process.env['SLUICE_BENCH_MINUTES'] ?? 10)
const CONNECTED = Number(process.env['SLUICE_BENCH_CONNECTED'] ?? 10_000)
const SITES = 100
const STRUCTURES = 4
/** Samples of each metric that each structure has waiting. */
const BACKLOG = 250
const STEP_MS = 5000
const METRICS = FLEET_DEFAULTS.metrics
const VALUES = SITES * STRUCTURES * BACKLOG * METRICS.length
const log = pino({ level: 'silent' })
const print = (line: string): void => void process.stdout.write(`${line}\n`)
const perSecond = (count: number, ms: number): number => Math.round((count / ms) * 1000)

type Center = { readonly brokerUrl: string; readonly historyUrl: string; readonly ingest: Program; stop(): Promise<void> }

async function startCenter(store: string, district: District): Promise<Center> {
  const folder = tempFolder('bench-ingest')
  const stops: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })]
  const [mosquitto, postgres] = await Promise.all([startMosquitto(), startPostgres()])
  stops.push(
    () => mosquitto.stop(),
    () => postgres.stop(),
  )
  let historyUrl = `duckdb:${join(folder, 'history.duckdb')}`
  if (store === 'influx1') {
    const influx = await startInflux1()
    stops.push(() => influx.stop())
    historyUrl = influx.url
  }
  const registry = await openRegistry(postgres.url, { log, migrationsFolder: join(root, 'registry', 'migrations') })
  await registry.district.seed(district)
  await registry.close()
  const config = join(folder, 'sluice.yaml')
  writeFileSync(config, stringify({ mqtt: { url: mosquitto.url }, history: { url: historyUrl }, registry: { url: postgres.url } }))
  const ingest = await startProgram('ingest', ['ingest', '--config', config], {
    ready: 'ingest runs',
    env: { SLUICE_LOG_LEVEL: 'info' },
    timeoutMs: 60_000,
  })
  stops.push(() => ingest.stop())
  return {
    brokerUrl: mosquitto.url,
    historyUrl,
    ingest,
    stop: async () => {
      for (const end of stops.toReversed()) await end()
    },
  }
}

/** The values of the fleet, one time after the other, as its sites would have stored them. */
function* samplesOf(district: District, to: number): Generator<Sample[]> {
  for (let i = BACKLOG; i > 0; i--) {
    const t = unixMs(to - i * STEP_MS)
    yield district.structures.flatMap(({ id }) =>
      METRICS.map((metric) => ({ gate: id, metric, t, received: t, reading: good(fleetValue(metric, 1, id, t)) })),
    )
  }
}

/** @returns values a second by the store's own means: line protocol of 5,000 lines in one request, or one appended batch. */
async function bulk(store: string, district: District): Promise<number> {
  const times = [...samplesOf(district, Date.now())]
  if (store === 'influx1') {
    const influx = await startInflux1()
    const lines = times.flatMap((samples) => linesOf(samples).map((line) => encodeLine(line, { rewrite: false })))
    const bodies: string[] = []
    for (let i = 0; i < lines.length; i += 5000) bodies.push(lines.slice(i, i + 5000).join('\n'))
    const started = performance.now()
    for (const body of bodies) {
      const reply = await fetch(`http://127.0.0.1:${influx.port}/write?db=sluice&precision=ms`, { method: 'POST', body })
      if (reply.status !== 204) throw new Error(await reply.text())
    }
    const rate = perSecond(VALUES, performance.now() - started)
    await influx.stop()
    return rate
  }
  const folder = tempFolder('bench-bulk')
  const history = await openHistory(`duckdb:${join(folder, 'history.duckdb')}`, { log })
  const started = performance.now()
  for (let i = 0; i < times.length; i += 4) await history.write(times.slice(i, i + 4).flat(), { rewrite: false })
  // It sorts and rolls up beside what comes in, under ingest too: that belongs to the time.
  await history.rollUp(Number.POSITIVE_INFINITY)
  const rate = perSecond(VALUES, performance.now() - started)
  await history.close()
  rmSync(folder, { recursive: true, force: true })
  return rate
}

/** @returns values a second that the fleet delivers of what waits at its sites. */
async function deliver(brokerUrl: string, district: District): Promise<{ rate: number; repeated: number; payload_bytes: number }> {
  const started = performance.now()
  const fleet = await openFleet(
    { ...FLEET_DEFAULTS, brokerUrl, district, everyMs: 0, backlog: BACKLOG, retryMs: 60_000 },
    { log, now: Date.now },
  )
  expect(await fleet.delivered({ timeoutMs: 600_000 })).toBe(true)
  const rate = perSecond(VALUES, performance.now() - started)
  const { repeated, payload_bytes } = fleet.stats()
  await fleet.close()
  return { rate, repeated, payload_bytes }
}

test('fleet and broker alone', async () => {
  const mosquitto = await startMosquitto()
  const file = bundled('receipting-host', "import './test/bench/receipting-host.ts'")
  const host = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, BROKER: mosquitto.url } })
  try {
    await once(host.stdout, 'data')
    const { rate } = await deliver(mosquitto.url, fleetDistrict(SITES, { structuresPerSite: STRUCTURES }))
    print(`fleet, Mosquitto and a host that only decodes and sends receipts: ${rate.toLocaleString('en')} values/s`)
  } finally {
    host.kill()
    await mosquitto.stop()
    rmSync(file)
  }
})

test.each(STORES)('ingest into %s', async (store) => {
  const district = fleetDistrict(SITES, { structuresPerSite: STRUCTURES })
  const limit = await bulk(store, district)
  const center = await startCenter(store, district)
  try {
    const { rate, repeated, payload_bytes } = await deliver(center.brokerUrl, district)
    print(
      `${store}: ${VALUES.toLocaleString('en')} values through Mosquitto and one ingest: ${rate.toLocaleString('en')} values/s (${Math.round(payload_bytes / 1e6)} MB of payload, ${repeated} batches repeated)`,
    )
    print(`${store}: the same values in bulk, no pipeline: ${limit.toLocaleString('en')} values/s; ratio ${(rate / limit).toFixed(2)}`)
    if (MINUTES > 0) await steady(store, center, district, rate)
  } finally {
    await center.stop()
  }
})

/** A third of what was reached, for minutes. */
async function steady(store: string, center: Center, district: District, rate: number): Promise<void> {
  const everyMs = Math.max(1000, Math.round((district.structures.length * METRICS.length * 3 * 1000) / rate))
  const delays: number[] = []
  const fleet = await openFleet(
    { ...FLEET_DEFAULTS, brokerUrl: center.brokerUrl, district, everyMs, retryMs: 60_000, onReceipt: (ms) => delays.push(ms) },
    { log, now: Date.now },
  )
  const resident: number[] = []
  for (let i = 0; i < MINUTES; i++) {
    await sleep(60_000)
    resident.push(Math.round(await residentMb(center.ingest.pid())))
  }
  fleet.rest()
  expect(await fleet.delivered({ timeoutMs: 60_000 })).toBe(true)
  await fleet.close()
  delays.sort((a, b) => a - b)
  const values = Math.round((district.structures.length * METRICS.length * 1000) / everyMs)
  print(
    `${store}: at ${values.toLocaleString('en')} values/s for ${MINUTES} min: publish to receipt p50 ${quantile(delays, 0.5)} ms, p99 ${quantile(delays, 0.99)} ms of ${delays.length.toLocaleString('en')}; ingest's memory by the minute ${resident.join(', ')} MB`,
  )
}

test.runIf(CONNECTED > 0)('many sites connected', async () => {
  const district = fleetDistrict(CONNECTED, { structuresPerSite: 1 })
  const center = await startCenter('duckdb', district)
  try {
    const started = performance.now()
    const delays: number[] = []
    const fleet = await openFleet(
      { ...FLEET_DEFAULTS, brokerUrl: center.brokerUrl, district, everyMs: 60_000, retryMs: 120_000, onReceipt: (ms) => delays.push(ms) },
      { log, now: Date.now },
    )
    const bornMs = performance.now() - started
    await sleep(120_000)
    const { connected, births } = fleet.stats()
    fleet.rest()
    expect(await fleet.delivered({ timeoutMs: 300_000 })).toBe(true)
    delays.sort((a, b) => a - b)
    print(
      `duckdb: ${connected.toLocaleString('en')} sites connected, each on a connection of its own, born in ${(bornMs / 1000).toFixed(1)} s (${births} births); each 8 values a minute: publish to receipt p50 ${quantile(delays, 0.5)} ms, p99 ${quantile(delays, 0.99)} ms; ingest ${Math.round(await residentMb(center.ingest.pid()))} MB`,
    )
    await fleet.close()
  } finally {
    await center.stop()
  }
})
