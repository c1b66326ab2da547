import { readFileSync, rmSync } from 'node:fs'
import { createServer, type Socket, connect as tcpConnect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import modbus from 'modbus-serial'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { BatchId } from '#contract/batch.ts'
import { parseConfig } from '#contract/config.ts'
import { HEALTH_PREFIX, healthOf } from '#contract/health.ts'
import { VERSION } from '#contract/version.ts'
import { openLink } from '#simulators/link.ts'
import { freePort, type RealServer, startMosquitto, tempFolder, until } from '#test/support/servers.ts'
import { loadProfiles } from './load-profiles.ts'
import { type Edge, openEdge } from './main.ts'
import { EdgeSettings } from './settings.ts'
import { type Heard, SmallHost } from './uplink/small-host.ts'

const log = pino({ level: 'silent' })
const node = { group: 'yichang', node: 'yc-s012' }
const profiles = await loadProfiles(join(import.meta.dirname, 'profiles'))

let mosquitto: RealServer
beforeAll(async () => {
  mosquitto = await startMosquitto()
})
afterAll(() => mosquitto.stop())

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
function folder(): string {
  const path = tempFolder('edge')
  closers.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Two gates behind one gateway; the upstream level is the count of reads. */
async function gates(): Promise<{ port: number; close: () => Promise<void> }> {
  const port = await freePort()
  let reads = 0
  const register = (address: number): number => {
    if (address === 0) reads++
    const view = new DataView(new ArrayBuffer(4))
    view.setFloat32(0, (reads % 3900) / 100)
    return address === 0 ? view.getUint16(0) : address === 1 ? view.getUint16(2) : address === 7 ? 65_461 : 0
  }
  const server = new modbus.ServerTCP({ getHoldingRegister: register }, { host: '127.0.0.1', port, unitID: 255 })
  await new Promise((resolve) => server.once('initialized', resolve))
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()))
  closers.push(close)
  return { port, close }
}

type Choices = {
  outbox: string
  modbusPort: number
  url?: string
  journal?: string
  uplink?: object
  report?: object
  interval_ms?: number
}
function settingsFor(c: Choices): EdgeSettings {
  const settings = {
    site: node.node,
    area: node.group,
    broker: { url: c.url ?? mosquitto.url },
    outbox: { path: c.outbox },
    poll: { interval_ms: c.interval_ms ?? 100 },
    uplink: { retry_first_ms: 300, retry_max_ms: 1000, latency_ms: 0, ...c.uplink },
    report: { silence_ms: 0, ...c.report },
    ...(c.journal === undefined ? {} : { journal: c.journal }),
    buses: [
      {
        name: 'gateway',
        host: '127.0.0.1',
        port: c.modbusPort,
        timeout_ms: 500,
        devices: [
          { structure: 'yc-zh-03', unit: 1, profile: 'sluice-gate-rtu', leaves: 2 },
          { structure: 'yc-zh-04', unit: 2, profile: 'sluice-gate-rtu', leaves: 1 },
        ],
      },
    ],
  }
  return parseConfig(EdgeSettings, { file: 'edge.yaml', text: JSON.stringify(settings) })
}
async function startEdge(choices: Choices): Promise<Edge & { stop: () => Promise<void> }> {
  const edge = await openEdge(settingsFor(choices), { log, profiles })
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= edge.close())
  closers.push(stop)
  return { ...edge, stop }
}
async function openHost(options: { receipts: boolean }): Promise<SmallHost> {
  const host = await SmallHost.open(mosquitto.url, { node, ...options })
  closers.push(() => host.close())
  return host
}
const seen = (check: () => void): Promise<void> => until(async () => check())

/** `device t metric` -> value, of everything that came in a batch. */
function received(heard: Iterable<Heard>): Map<string, unknown> {
  const found = new Map<string, unknown>()
  for (const h of heard) {
    for (const m of h.batch === undefined ? [] : h.metrics) {
      if (m.name !== 'Outbox/Batch') found.set(`${h.device} ${m.timestamp} ${m.name}`, m.quality === 0 ? m.reason : Number(m.value))
    }
  }
  return found
}
type JournalLine = { structure: string; t: number; readings: Record<string, { quality: string; value?: number; reason?: string }> }
function journaled(file: string): Map<string, unknown> {
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l) as JournalLine | { missed: number })
  return new Map(
    lines.flatMap((l) =>
      'missed' in l
        ? []
        : Object.entries(l.readings).map(([m, r]): [string, unknown] => [`${l.structure} ${l.t} ${m}`, r.value ?? r.reason]),
    ),
  )
}

test('every reading that was kept reaches the host with its time and value, and the outbox is empty again', async () => {
  const path = folder()
  const journal = join(path, 'journal')
  const { port } = await gates()
  const host = await openHost({ receipts: true })
  const edge = await startEdge({ outbox: join(path, 'o'), modbusPort: port, journal })
  await seen(() => expect(edge.stats().kept).toBeGreaterThan(20))
  await edge.stop()
  const kept = journaled(journal)
  await seen(() => expect(received(host.heard).size).toBeGreaterThanOrEqual(kept.size))
  expect(received(host.heard)).toEqual(kept)
  expect(new Set([...kept.keys()].map((k) => k.split(' ')[2]))).toContain('opening_2')
})

test('births come before data, with every metric by name, alias and type; data come by alias, not retained, in sequence', async () => {
  const { port } = await gates()
  const host = await openHost({ receipts: true })
  const edge = await startEdge({ outbox: folder(), modbusPort: port })
  await seen(() => expect(host.of('DDATA').length).toBeGreaterThan(10))
  host.askRebirth()
  await seen(() => expect(host.of('NBIRTH')).toHaveLength(2))
  await seen(() => expect(host.of('DBIRTH')).toHaveLength(4))
  await edge.stop()
  await seen(() => expect(host.heard.at(-1)?.type).toBe('NDEATH'))

  expect(host.heard.slice(0, 3).map((h) => [h.type, h.device, h.seq])).toEqual([
    ['NBIRTH', undefined, 0],
    ['DBIRTH', 'yc-zh-03', 1],
    ['DBIRTH', 'yc-zh-04', 2],
  ])
  const ofNode = host.heard[0]?.metrics ?? []
  expect(ofNode.filter((m) => !m.name.startsWith(HEALTH_PREFIX)).map((m) => [m.name, m.datatype, m.value])).toEqual([
    ['bdSeq', 'Int64', 0n],
    ['Node Control/Rebirth', 'Boolean', false],
    ['Commissioning/Record', 'String', null],
    ['Commissioning/Receipt', 'String', null],
    ['Outbox/Batch', 'UInt64', null],
    ['Outbox/Receipt', 'Bytes', null],
    ['Outbox/Lost', 'String', null],
  ])
  expect(healthOf(ofNode)).toMatchObject({ connections: 1, errors: {}, agent_version: VERSION })
  const [, , , ...later] = host.heard
  expect(
    host
      .of('DBIRTH')[0]
      ?.metrics.map((m) => m.name)
      .sort(),
  ).toEqual(
    ['Outbox/Batch', 'battery', 'door', 'fault', 'flow', 'level_down', 'level_up', 'mode', 'moving', 'opening', 'opening_2', 'rssi'].sort(),
  )
  const aliases = host.of('DBIRTH').flatMap((h) => h.metrics.map((m) => `${h.device} ${m.name} ${m.alias}`))
  expect(new Set(aliases).size).toBe(aliases.length / 2)
  let seq = 3
  for (const h of later) {
    if (h.type === 'NDEATH') continue
    if (h.type === 'NBIRTH') seq = 0
    expect(h.seq).toBe(seq)
    seq = (seq + 1) % 256
    expect([h.retained, h.qos]).toEqual([false, 0])
    if (h.type === 'DDATA') for (const m of h.metrics) expect(m.timestamp).toBeGreaterThan(0)
  }
  // After a poll the birth tells the newest values.
  expect(host.of('DBIRTH')[2]?.metrics.find((m) => m.name === 'rssi')).toMatchObject({ value: -75, quality: 192 })
  expect(host.of('NDEATH').map((h) => h.metrics[0]?.value)).toEqual([0n])
})

test('without receipts no more batches go out than the window takes; they are repeated, and newest values go on without an id', async () => {
  const { port } = await gates()
  const host = await openHost({ receipts: false })
  const edge = await startEdge({ outbox: folder(), modbusPort: port, uplink: { window: 2 } })
  await seen(() => expect(edge.stats().kept).toBeGreaterThan(60))
  expect(host.batches().size).toBe(2)
  expect(edge.stats().in_flight).toBe(2)
  for (const [id, first] of host.batches()) {
    const copies = host.heard.filter((h) => h.batch === id)
    expect(copies.length).toBeGreaterThan(1)
    for (const copy of copies) expect(received([copy])).toEqual(received([first]))
    expect(
      copies
        .at(-1)
        ?.metrics.filter((m) => m.name !== 'Outbox/Batch')
        .every((m) => m.historical),
    ).toBe(true)
  }
  const live = host.of('DDATA').filter((h) => h.batch === undefined)
  expect(live.length).toBeGreaterThan(20)
  expect(live.flatMap((h) => h.metrics).some((m) => m.historical)).toBe(false)

  // Receipts again: what had waited goes out in few, larger batches, and nothing was lost.
  host.receipts = true
  host.receipt([...host.batches().keys()])
  await seen(() => expect(edge.stats().outbox.pending).toBeLessThan(6))
  const times = [...received(host.heard).keys()]
    .filter((k) => k.includes('yc-zh-03') && k.endsWith('level_up'))
    .map((k) => Number(k.split(' ')[1]))
    .sort((a, b) => a - b)
  expect(times.length).toBeGreaterThan(25)
  expect(Math.max(...times.slice(1).map((t, i) => t - (times[i] ?? 0)))).toBeLessThan(1000)
})

test('a receipt for an unknown batch deletes nothing', async () => {
  const { port } = await gates()
  const host = await openHost({ receipts: false })
  const edge = await startEdge({ outbox: folder(), modbusPort: port })
  await seen(() => expect(edge.stats().in_flight).toBe(4))
  const { pending } = edge.stats().outbox
  const [first = 0n] = host.batches().keys()
  host.receipt([(first + 1_000_000n) as BatchId, (first ^ (1n << 40n)) as BatchId])
  host.askRebirth()
  await seen(() => expect(host.of('NBIRTH')).toHaveLength(2))
  expect(edge.stats().in_flight).toBe(4)
  expect(edge.stats().outbox.pending).toBeGreaterThanOrEqual(pending)
})

test('after a restart the agent repeats what has no receipt under the same ids', async () => {
  const path = folder()
  const { port } = await gates()
  const host = await openHost({ receipts: false })
  const first = await startEdge({ outbox: join(path, 'o'), modbusPort: port })
  await seen(() => expect(first.stats().in_flight).toBe(4))
  await first.stop()
  const before = host.batches()
  const heardBefore = host.heard.length

  host.receipts = true
  await startEdge({ outbox: join(path, 'o'), modbusPort: port })
  const again = (): Heard[] => host.heard.slice(heardBefore).filter((h) => h.batch !== undefined)
  await seen(() => expect(again().map((h) => h.batch)).toEqual(expect.arrayContaining([...before.keys()])))
  expect(before.size).toBeGreaterThan(0)
  for (const [id, h] of before) expect(received(again().filter((a) => a.batch === id))).toEqual(received([h]))
  expect(host.of('NBIRTH').map((h) => h.metrics[0]?.value)).toEqual([0n, 1n])
})

/** A link that can be cut: what goes through it never sees a DISCONNECT. */
async function link(): Promise<{ url: string; cut: () => void }> {
  const sockets = new Set<Socket>()
  const server = createServer((from) => {
    const to = tcpConnect(mosquitto.port, '127.0.0.1')
    for (const s of [from, to]) {
      sockets.add(s)
      s.on('error', () => s.destroy())
      s.on('close', () => sockets.delete(s))
    }
    from.pipe(to)
    to.pipe(from)
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const s of sockets) s.destroy()
  }
  closers.push(() => {
    cut()
    server.close()
  })
  return { url: `mqtt://127.0.0.1:${port}`, cut }
}

test('a cut link is announced by the will with the bdSeq of its birth, and nothing is lost over it', async () => {
  const path = folder()
  const journal = join(path, 'journal')
  const { port } = await gates()
  const { url, cut } = await link()
  const host = await openHost({ receipts: true })
  const edge = await startEdge({ outbox: join(path, 'o'), modbusPort: port, journal, url })
  for (let i = 1; i <= 3; i++) {
    await seen(() => expect(edge.stats().connections).toBe(i))
    await sleep(200)
    cut()
    await seen(() => expect(host.of('NDEATH')).toHaveLength(i))
  }
  await seen(() => expect(edge.stats().connections).toBe(4))
  await edge.stop()
  await seen(() => expect(host.of('NDEATH')).toHaveLength(4))
  const bdSeqs = (type: 'NBIRTH' | 'NDEATH'): unknown[] => host.of(type).map((h) => h.metrics.find((m) => m.name === 'bdSeq')?.value)
  expect(bdSeqs('NBIRTH')).toEqual([0n, 1n, 2n, 3n])
  expect(bdSeqs('NDEATH')).toEqual(bdSeqs('NBIRTH'))

  // An agent that reads nothing more empties the outbox.
  const last = await startEdge({ outbox: join(path, 'o'), modbusPort: port, interval_ms: 3_600_000 })
  await seen(() => expect(last.stats().outbox.pending).toBe(0))
  expect(received(host.heard)).toEqual(journaled(journal))
})

test('a device that does not answer gives BAD readings under fresh times, never its last values', async () => {
  const path = folder()
  const journal = join(path, 'journal')
  const device = await gates()
  const host = await openHost({ receipts: true })
  const edge = await startEdge({ outbox: join(path, 'o'), modbusPort: device.port, journal })
  await seen(() => expect(edge.stats().kept).toBeGreaterThan(5))
  await device.close()
  await seen(() =>
    expect(
      host
        .of('DDATA')
        .at(-1)
        ?.metrics.filter((m) => m.name !== 'Outbox/Batch')
        .map((m) => m.reason),
    ).toContain('not_connected'),
  )
  const last =
    host
      .of('DDATA')
      .at(-1)
      ?.metrics.filter((m) => m.name !== 'Outbox/Batch') ?? []
  expect(last.every((m) => m.quality === 0 && m.value === null)).toBe(true)
  await edge.stop()
})

test('after an outage the present comes first and the backlog trickles behind it, oldest first, with nothing lost', async () => {
  const path = folder()
  const journal = join(path, 'journal')
  const { port } = await gates()
  const away = await startEdge({ outbox: join(path, 'o'), modbusPort: port, journal, url: `mqtt://127.0.0.1:${await freePort()}` })
  // Several batches of both structures.
  await seen(() => expect(away.stats().outbox.pending_readings).toBeGreaterThan(1200))
  await away.stop()
  const ofBefore = Math.max(...[...journaled(journal).keys()].map((k) => Number(k.split(' ')[1])))

  const host = await openHost({ receipts: true })
  // Slow enough that the backlog takes more than a second: on loopback it could be over before the first reading of the present.
  const ends = { listen: { host: '127.0.0.1', port: 0 }, target: { host: '127.0.0.1', port: mosquitto.port } }
  const link = await openLink({ preset: 'clear', settings: { up_bits_per_s: 200_000 }, ...ends, seed: 1 }, { log })
  closers.push(() => link.close())
  const edge = await startEdge({ outbox: join(path, 'o'), modbusPort: port, journal, url: `mqtt://127.0.0.1:${link.port}` })
  await seen(() => expect(edge.stats().outbox.pending).toBeLessThan(4))
  await edge.stop()
  const sent = [...host.batches().values()].map((h) => h.metrics.find((m) => m.name === 'level_up')?.timestamp ?? 0)
  const backlog = sent.filter((t) => t <= ofBefore)
  expect(backlog.length).toBeGreaterThan(4)
  expect(backlog).toEqual(backlog.toSorted((a, b) => a - b))
  expect(sent.findIndex((t) => t > ofBefore)).toBeLessThan(sent.indexOf(backlog.at(-1) ?? 0))
  const last = await startEdge({ outbox: join(path, 'o'), modbusPort: port, interval_ms: 3_600_000 })
  await seen(() => expect(last.stats().outbox.pending).toBe(0))
  expect(received(host.heard)).toEqual(journaled(journal))
})

test('what does not change is told once, what does within its deadband not at all', async () => {
  const path = folder()
  const journal = join(path, 'journal')
  const { port } = await gates()
  const host = await openHost({ receipts: true })
  const report = { silence_ms: 3_600_000, metrics: { level_up: { deadband: 0.1 } } }
  const edge = await startEdge({ outbox: join(path, 'o'), modbusPort: port, journal, report })
  await seen(() => expect(host.batches().size).toBeGreaterThan(3))
  await edge.stop()
  const levels = [...journaled(journal)].filter(([k]) => k.startsWith('yc-zh-03') && k.endsWith('level_up')).map(([, v]) => Number(v))
  for (const [i, level] of levels.entries()) if (i > 0) expect(level - (levels[i - 1] ?? 0)).toBeGreaterThanOrEqual(0.0999)
  expect([...journaled(journal).keys()].filter((k) => k.endsWith('battery'))).toHaveLength(2)
  expect(edge.health()).toMatchObject({ silence_ms: 3_600_000, errors: {}, dropped_readings: 0 })
})

test('for a host that sends no receipts a batch is deleted when it is published', async () => {
  const { port } = await gates()
  const host = await openHost({ receipts: false })
  const edge = await startEdge({ outbox: folder(), modbusPort: port, uplink: { receipts: 'none' } })
  await seen(() => expect(edge.stats().kept).toBeGreaterThan(20))
  await seen(() => expect(edge.stats().outbox.pending).toBeLessThan(4))
  expect(host.of('NBIRTH')[0]?.metrics.map((m) => m.name)).not.toContain('Outbox/Receipt')
  expect(host.heard.flatMap((h) => h.metrics).some((m) => m.name === 'Outbox/Batch')).toBe(false)
  await edge.stop()
})

test('without a broker the readings wait on the disk, and a mistake in the settings is told in words', async () => {
  const { port } = await gates()
  const edge = await startEdge({ outbox: folder(), modbusPort: port, url: `mqtt://127.0.0.1:${await freePort()}` })
  await seen(() => expect(edge.stats().outbox.pending).toBeGreaterThan(10))
  expect(edge.stats()).toMatchObject({ connected: false, in_flight: 0, not_kept: 0 })
  await edge.stop()

  const settings = settingsFor({ outbox: folder(), modbusPort: port })
  await expect(openEdge(settings, { log, profiles: new Map() })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  const twice = { ...settings, buses: [...settings.buses, ...settings.buses] }
  await expect(openEdge(twice, { log, profiles })).rejects.toThrow('bus gateway stands twice')
  const [bus] = settings.buses
  const same = { ...settings, buses: bus ? [bus, { ...bus, name: 'other' }] : [] }
  await expect(openEdge(same, { log, profiles })).rejects.toThrow('two devices give the same: yc-zh-03: level_up')
})

test('a site with a dozen buses is opened without a warning of Node', async () => {
  const warnings: string[] = []
  const heard = (warning: Error): void => void warnings.push(warning.message)
  process.on('warning', heard)
  closers.push(() => process.off('warning', heard))
  const { port } = await gates()
  const settings = settingsFor({ outbox: folder(), modbusPort: port })
  const [bus] = settings.buses
  if (!bus) throw new Error('no bus')
  const [device] = bus.devices
  if (!device) throw new Error('no device')
  const buses = Array.from({ length: 12 }, (_, i) => ({ ...bus, name: `bus-${i}`, devices: [{ ...device, structure: `yc-zh-${i}` }] }))
  const edge = await openEdge({ ...settings, buses }, { log, profiles })
  closers.push(() => edge.close())
  await until(async () => expect(edge.status().devices.every((d) => d.reads_good > 0)).toBe(true))
  expect(warnings).toEqual([])
})
