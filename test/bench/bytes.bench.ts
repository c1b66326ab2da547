/**
 * Bytes on the wire, all headers included, by the counters of veth pairs between two network namespaces: one site of 4 structures with 8
 * metrics, read once a minute for a day, as Sluice sends them and as one JSON publish for each reading at QoS 1, in the same run. The JSON
 * goes twice: each publish when the one before is acknowledged, as simple clients do, and all of a minute at once, so that they share packets.
 *
 * Time is compressed: a simulated minute lasts SLUICE_BENCH_MINUTE_MS (250), and silence, latency and health interval are shortened alike.
 * The bytes are the same, since each exchange is over before the next begins, with one exception that is added by reckoning: in the
 * compressed run no silence is long enough for an MQTT keep-alive. Needs root, for `ip netns`.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { Value } from 'typebox/value'
import { expect, test } from 'vitest'
import type { District, Structure } from '#contract/district.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { loadProfiles } from '#edge-agent/load-profiles.ts'
import { openHistory } from '#history/open.ts'
import { openIngest } from '#ingest/main.ts'
import { IngestSettings } from '#ingest/settings.ts'
import { openRegistry } from '#registry/open.ts'
import { openLink } from '#simulators/link.ts'
import { outsideDeadband, readInflux, readJournal, readTruth } from '../chaos/audit.ts'
import { root } from '../support/program.ts'
import { startInflux1, startMosquitto, tempFolder, until } from '../support/servers.ts'
import type { BytesOrder } from './bytes-site.ts'

const MINUTE_MS = Number(process.env['SLUICE_BENCH_MINUTE_MS'] ?? 250)
const HOURS = Number(process.env['SLUICE_BENCH_HOURS'] ?? 24)
const MINUTES = HOURS * 60
const AREA = 'yichang'
const STRUCTURES = 4
const LEFT_OUT = new Set(['door', 'rssi'])
const NAMESPACE = 'sluice-bytes'
/** PINGREQ and PINGRESP of 2 bytes, each in a packet of Ethernet 14, IP 20, TCP 32, and an acknowledgement. */
const PING_BYTES = 2 * (2 + 66) + 66
const KEEPALIVE_MS = 120_000
const SETTLE_MS = 2000

const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: 'inherit' })

/** A pair of interfaces between this namespace and the site's. @returns what has crossed it, in bytes. */
function openWire(name: string, net: string): { address: string; bytes: () => number } {
  ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}s`)
  ip('link', 'set', `${name}s`, 'netns', NAMESPACE)
  ip('addr', 'add', `${net}.1/24`, 'dev', name)
  ip('link', 'set', name, 'up')
  ip('-n', NAMESPACE, 'addr', 'add', `${net}.2/24`, 'dev', `${name}s`)
  ip('-n', NAMESPACE, 'link', 'set', `${name}s`, 'up')
  const count = (way: 'rx' | 'tx'): number => Number(readFileSync(`/sys/class/net/${name}/statistics/${way}_bytes`, 'utf8'))
  return { address: `${net}.1`, bytes: () => count('rx') + count('tx') }
}

async function districtOfOne(): Promise<District> {
  const hetao = await loadDistrict(join(root, 'districts/hetao'))
  const canal = hetao.canals.find((c) => c.area === AREA)
  const like = hetao.structures.find((s) => s.area === AREA)
  const site = hetao.sites.find((s) => s.area === AREA)
  if (!canal || !like || !site) throw new Error('the Hetao district has changed')
  const structures = Array.from(
    { length: STRUCTURES },
    (_, i): Structure => ({ ...like, id: `bytes-${i}`, canal: canal.id, site: site.id, leaves: 1 }),
  )
  return { ...hetao, areas: hetao.areas.filter((a) => a.id === AREA), canals: [{ ...canal, parent: null }], sites: [site], structures }
}

type Told = { started: number; published: number; pending: number; missed: number; health: { bytes_today: number } }

async function runSite(order: BytesOrder, folder: string): Promise<Told> {
  const file = join(folder, 'order.json')
  writeFileSync(file, JSON.stringify(order))
  const child = spawn(
    'ip',
    ['netns', 'exec', NAMESPACE, process.execPath, '--import', 'tsx', join(root, 'test/bench/bytes-site.ts'), file],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`the site ended with ${code}`)
  return JSON.parse(said.trim().split('\n').at(-1) ?? '') as Told
}

/** Pings that a silence of the sender, in simulated time, would have cost: the times are those of the journal's kept readings. */
function pingsIn(times: readonly number[]): number {
  const sorted = [...new Set(times)].sort((a, b) => a - b)
  const gaps = sorted.slice(1).map((t, i) => ((t - (sorted[i] ?? t)) * 60_000) / MINUTE_MS)
  return gaps.reduce((n, gap) => n + Math.floor(gap / KEEPALIVE_MS), 0)
}

type Way = { readonly name: string; readonly silenceMin: number; readonly latencyS: number; readonly deflate: 'never' | 'agreed' }

async function measure(way: Way): Promise<{
  sluice: number
  together: number
  oneByOne: number
  pings: number
  told: Told
  outside: string[]
  looked: number
  kept: number
  byMetric: ReadonlyMap<string, number>
}> {
  const folder = tempFolder('bytes')
  const [mosquitto, influx] = await Promise.all([startMosquitto(), startInflux1()])
  const log = pino({ level: 'warn' })
  const registry = await openRegistry(`pglite:${join(folder, 'registry')}`, { log, migrationsFolder: join(root, 'registry/migrations') })
  const history = await openHistory(influx.url, { log })
  const compressed = (ms: number): number => Math.round((ms * MINUTE_MS) / 60_000)
  ip('netns', 'add', NAMESPACE)
  try {
    ip('-n', NAMESPACE, 'link', 'set', 'lo', 'up')
    const district = await districtOfOne()
    await registry.district.seed(district)
    const ingest = await openIngest(Value.Default(IngestSettings, {}) as IngestSettings, {
      broker: { url: mosquitto.url },
      history,
      registry,
      log,
    })
    const profile = (await loadProfiles(join(root, 'edge-agent/profiles'))).get('sluice-gate-rtu')
    if (!profile) throw new Error('no profile')
    const wires = [openWire('slb0', '10.213.7'), openWire('slb1', '10.213.8'), openWire('slb2', '10.213.9')] as const
    const links = await Promise.all(
      wires.map(({ address }) =>
        openLink({ listen: { host: address, port: 0 }, target: { host: '127.0.0.1', port: mosquitto.port }, seed: 1 }, { log }),
      ),
    )
    const urls = links.map((link, i) => `mqtt://${wires[i]?.address}:${link.port}`)
    mkdirSync(join(folder, 'outbox'))
    const order: BytesOrder = {
      district,
      profile: { ...profile, points: profile.points.filter((p) => !LEFT_OUT.has(p.metric)) },
      minuteMs: MINUTE_MS,
      minutes: MINUTES,
      truth: join(folder, 'truth.jsonl'),
      journal: join(folder, 'journal.jsonl'),
      outbox: join(folder, 'outbox'),
      agent: {
        url: urls[0] ?? '',
        settings: {
          report: { silence_ms: compressed(way.silenceMin * 60_000) },
          poll: { interval_ms: MINUTE_MS, fast_interval_ms: MINUTE_MS },
          uplink: {
            latency_ms: compressed(way.latencyS * 1000),
            deflate: way.deflate,
            health_interval_ms: Math.max(1000, compressed(300_000)),
          },
        },
      },
      together: { url: urls[1] ?? '' },
      oneByOne: { url: urls[2] ?? '' },
    }
    const before = wires.map((w) => w.bytes())
    const told = await runSite(order, folder)
    const [sluice = 0, together = 0, oneByOne = 0] = wires.map((w, i) => w.bytes() - (before[i] ?? 0))
    const journal = readJournal(order.journal)
    await until(async () => expect((await readInflux(influx.url)).size).toBeGreaterThan(0))
    // The gates' clock runs faster than the agent's.
    const real = (t: number): number => told.started + ((t - told.started) * MINUTE_MS) / 60_000 - 1
    const truth = new Map(
      [...readTruth(order.truth)]
        .filter(([key]) => !LEFT_OUT.has(key.split(' ')[1] ?? ''))
        .map(([key, served]) => [key, served.map((s) => ({ ...s, t: real(s.t) }))]),
    )
    // What was kept last is still in the outbox, waiting for company.
    const last = Math.max(...[...journal.kept.values()].flatMap((cycles) => [...cycles.keys()]))
    const until_t = last - compressed(way.latencyS * 1000) - SETTLE_MS
    const seen = outsideDeadband([journal], truth, await readInflux(influx.url), { until: until_t })
    const kept = [...journal.kept.values()].flatMap((cycles) => [...cycles].filter(([, readings]) => Object.keys(readings).length > 0))
    const pings = pingsIn(kept.map(([t]) => t))
    for (const link of links) await link.close()
    await ingest.close()
    const byMetric = new Map<string, number>()
    for (const metric of kept.flatMap(([, readings]) => Object.keys(readings))) byMetric.set(metric, (byMetric.get(metric) ?? 0) + 1)
    return { sluice, together, oneByOne, pings, told, ...seen, kept: [...byMetric.values()].reduce((a, b) => a + b, 0), byMetric }
  } finally {
    ip('netns', 'del', NAMESPACE)
    await history.close()
    await registry.close()
    await Promise.all([mosquitto.stop(), influx.stop()])
    rmSync(folder, { recursive: true, force: true })
  }
}

const WAYS: readonly Way[] = [
  { name: 'as it comes: silence 1 min, company 0.25 s', silenceMin: 1, latencyS: 0.25, deflate: 'never' },
  { name: 'metered link: silence 15 min, company 5 min, deflate', silenceMin: 15, latencyS: 300, deflate: 'agreed' },
]

test.each(WAYS)('bytes of a site: $name', async (way) => {
  const r = await measure(way)
  const mbPerDay = (bytes: number): string => ((bytes * 24) / HOURS / 1e6).toFixed(2)
  const sluice = r.sluice + r.pings * PING_BYTES
  process.stdout.write(`
Bytes on the wire of ${STRUCTURES} structures with 8 metrics at 60 s (${way.name}); ${HOURS} simulated hours, a minute in ${MINUTE_MS} ms
  JSON at QoS 1, one by one       ${r.oneByOne} B, ${mbPerDay(r.oneByOne)} MB a day, ${(r.oneByOne / r.told.published).toFixed(0)} B for each of ${r.told.published} readings
  JSON at QoS 1, a minute at once ${r.together} B, ${mbPerDay(r.together)} MB a day, ${(r.together / r.told.published).toFixed(0)} B for each
  Sluice                          ${sluice} B, ${mbPerDay(sluice)} MB a day (${r.pings} pings of ${PING_BYTES} B reckoned), ${r.kept} readings kept: ${[...r.byMetric].map(([m, n]) => `${m} ${n}`).join(', ')}
  ratio                           ${(sluice / r.oneByOne).toFixed(3)} of one by one, ${(sluice / r.together).toFixed(3)} of a minute at once
  the agent's own count           ${r.told.health.bytes_today} B for ${r.sluice} B measured without pings, ${(r.told.health.bytes_today / r.sluice).toFixed(2)} of it
  truth outside the deadband      ${r.outside.length} of ${r.looked}; polls missed ${r.told.missed}
`)
  expect(r.outside.slice(0, 5)).toEqual([])
  expect(r.looked).toBeGreaterThan(MINUTES * STRUCTURES * 4)
  if (way.deflate === 'agreed') expect(sluice / r.oneByOne).toBeLessThan(0.1)
})
