import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import modbus from 'modbus-serial'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { askStatus } from '#edge-agent/commission/status.ts'
import { Bus } from '#edge-agent/modbus/bus.ts'
import { BusReader } from '#edge-agent/modbus/bus-reader.ts'
import { toDevice } from '#edge-agent/modbus/device.ts'
import { SmallHost } from '#edge-agent/uplink/small-host.ts'
import { tcpBus } from '#test/support/modbus.ts'
import { profileOf } from '#test/support/profile.ts'
import { cpuSeconds, root, startProgram } from '../support/program.ts'
import { startMosquitto, tempFolder } from '../support/servers.ts'

const log = pino({ level: 'silent' })
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = once(child, 'exit')
  child.kill()
  await ended
}

/** A server of registers in a process of its own. @returns its port. */
async function registers(stepMs = 0): Promise<number> {
  const child = spawn(process.execPath, [join(root, 'test/support/fast-modbus-server.mjs'), String(stepMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  closers.push(() => endProcess(child))
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  return Number(port.toString())
}

/** Runs `one` over and over on each line for so long. @returns registers a second, and a second of one core. */
async function rate(
  lines: number,
  ms: number,
  one: (line: number) => Promise<number>,
): Promise<{ per_s: number; per_core_s: number; cores: number }> {
  const until = performance.now() + ms
  const [before, since] = [process.cpuUsage(), performance.now()]
  const counts = await Promise.all(
    Array.from({ length: lines }, async (_, line) => {
      let sum = 0
      while (performance.now() < until) sum += await one(line)
      return sum
    }),
  )
  const cpu = process.cpuUsage(before)
  const [wall_s, cpu_s] = [(performance.now() - since) / 1000, (cpu.user + cpu.system) / 1e6]
  const all = counts.reduce((a, b) => a + b, 0)
  return { per_s: Math.round(all / wall_s), per_core_s: Math.round(all / cpu_s), cores: Number((cpu_s / wall_s).toFixed(2)) }
}

const LINES = 40
const TAGS = 99
/** The leaves of one structure: 99 values of one register each, in one block. */
const LEAVES = {
  leaf: {
    first_address: 0,
    stride: 1,
    points: [{ metric: 'opening', address: 0, type: 'uint16', scale: 0.001 }],
    command: { setpoint_mm: 0, command: 0, sequence: 0 },
  },
}

/** A connection of modbus-serial for each line. @returns what reads all registers over one of them, once. */
async function bareClients(port: number): Promise<(line: number) => Promise<number>> {
  const clients = await Promise.all(
    Array.from({ length: LINES }, async () => {
      const client = new modbus.default()
      await client.connectTCP('127.0.0.1', { port })
      client.setID(1)
      client.setTimeout(5000)
      closers.push(() => new Promise((resolve) => client.close(() => resolve(undefined))))
      return client
    }),
  )
  return (line) => clients[line]?.readHoldingRegisters(0, TAGS).then((r) => r.data.length) ?? Promise.resolve(0)
}

test('an agent’s reader gives at least a quarter of the tags a core that bare modbus-serial gives of registers', async () => {
  const port = await registers()
  const bare = await bareClients(port)
  const profile = profileOf(LEAVES)
  const readers = Array.from({ length: LINES }, () => {
    const bus = Bus.open(tcpBus(port, 5000), log)
    closers.push(() => bus.close())
    const device = toDevice({ structure: 's', unit: 1, leaves: TAGS }, profile)
    return { device, reader: new BusReader({ bus, timeout_ms: 5000, elapsed: () => performance.now() }) }
  })
  const ours = async (line: number): Promise<number> => {
    const it = readers[line]
    const readings = it ? await it.reader.read(it.device) : new Map()
    return [...readings.values()].filter((r) => r.quality === 'good').length
  }
  await rate(LINES, 1000, bare)
  await rate(LINES, 1000, ours)
  const rounds = []
  for (let i = 0; i < 3; i++) rounds.push({ bare: await rate(LINES, 4000, bare), ours: await rate(LINES, 4000, ours) })
  const shares = rounds.map((r) => r.ours.per_core_s / r.bare.per_core_s).sort((a, b) => a - b)
  for (const { bare, ours } of rounds) {
    process.stdout.write(
      `bare modbus-serial ${bare.per_s} registers/s on ${bare.cores} core = ${bare.per_core_s} a core; reader ${ours.per_s} tags/s (judged, with quality) on ${ours.cores} core = ${ours.per_core_s} a core\n`,
    )
  }
  process.stdout.write(`share of bare, median of three: ${(shares[1] ?? 0).toFixed(2)}\n`)
  expect(shares[1]).toBeGreaterThan(0.25)
})

const SECONDS = Number(process.env['SLUICE_BENCH_SECONDS'] ?? 15)
const EVERY_MS = 100

/** An agent of 40 devices with 99 values each at 100 ms, as a process, with a broker that receipts. @returns tags a second of one core. */
async function agentRate(port: number): Promise<{ read: number; kept: number; cores: number; missed: number }> {
  const folder = tempFolder('throughput')
  closers.push(() => rmSync(folder, { recursive: true, force: true }))
  const [site, outbox] = ['bench', join(folder, 'outbox')]
  const mosquitto = await startMosquitto()
  closers.push(() => mosquitto.stop())
  const host = await SmallHost.open(mosquitto.url, { node: { group: site, node: site }, receipts: true })
  closers.push(() => host.close())
  mkdirSync(join(folder, 'profiles'))
  writeFileSync(
    join(folder, 'profiles', 'leaves.yaml'),
    stringify({ name: 'leaves', title: 'leaves', source: 'bench', points: [], ...LEAVES }),
  )
  const device = (i: number) => ({ structure: `s-${i}`, unit: 1, profile: 'leaves', leaves: TAGS })
  const buses = Array.from({ length: LINES }, (_, i) => ({ name: `bus-${i}`, host: '127.0.0.1', port, devices: [device(i)] }))
  const broker = { url: mosquitto.url }
  writeFileSync(
    join(folder, 'site.yaml'),
    stringify({ site, area: site, broker, outbox: { path: outbox }, poll: { interval_ms: EVERY_MS }, buses }),
  )
  const agent = await startProgram('agent', ['edge', 'run', '--config', join(folder, 'site.yaml')], {
    ready: 'edge agent runs',
    env: { SLUICE_LOG_LEVEL: 'info' },
  })
  closers.push(() => agent.stop())
  const look = async () => {
    const status = await askStatus(outbox)
    if (!status) throw new Error('the agent does not run')
    const good = status.devices.reduce((n, d) => n + d.reads_good, 0)
    return { ...status.stats, good, cpu_s: cpuSeconds(agent.pid()), at: performance.now() }
  }
  const forgetting = setInterval(() => host.heard.splice(0), 1000)
  closers.push(() => clearInterval(forgetting))
  await sleep(5000)
  const before = await look()
  await sleep(SECONDS * 1000)
  const after = await look()
  const [cpu_s, wall_s] = [after.cpu_s - before.cpu_s, (after.at - before.at) / 1000]
  const perCore = (reads: number): number => Math.round((reads * TAGS) / cpu_s)
  return {
    read: perCore(after.good - before.good),
    kept: perCore(after.kept - before.kept),
    cores: Number((cpu_s / wall_s).toFixed(2)),
    missed: after.missed_cycles - before.missed_cycles,
  }
}

test('a whole agent gives at least a tenth of the tags a core that bare modbus-serial gives of registers, every one of them kept and sent', async () => {
  const bare = await bareClients(await registers())
  await rate(LINES, 1000, bare)
  const alone = [await rate(LINES, 3000, bare)]
  const still = await agentRate(await registers())
  const moving = await agentRate(await registers(EVERY_MS))
  alone.push(await rate(LINES, 3000, bare))
  const base = alone.reduce((n, r) => n + r.per_core_s, 0) / alone.length
  process.stdout.write(
    `bare modbus-serial ${alone.map((r) => r.per_core_s).join(' and ')} registers/s a core
agent, nothing moves: ${still.read} tags/s a core read and judged, share of bare ${(still.read / base).toFixed(3)}; ${still.cores} core, ${still.missed} polls missed
agent, every value moves each time: ${moving.kept} tags/s a core kept and sent, share of bare ${(moving.kept / base).toFixed(3)}; ${moving.cores} core, ${moving.missed} polls missed
`,
  )
  expect(still.read / base).toBeGreaterThan(0.1)
  expect(moving.kept).toBeGreaterThan(0)
})
