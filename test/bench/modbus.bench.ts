import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import modbus from 'modbus-serial'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { Bus } from '#edge-agent/modbus/bus.ts'
import { BusReader } from '#edge-agent/modbus/bus-reader.ts'
import { toDevice } from '#edge-agent/modbus/device.ts'
import { tcpBus } from '#test/support/modbus.ts'
import { profileOf } from '#test/support/profile.ts'
import { root } from '../support/program.ts'

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
async function registers(): Promise<number> {
  const child = spawn(process.execPath, [join(root, 'test/support/fast-modbus-server.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
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

test('an agent’s reader gives at least a quarter of the tags a core that bare modbus-serial gives of registers', async () => {
  const port = await registers()
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
  // The leaves of one structure: 99 values of one register each, in one block.
  const profile = profileOf({
    leaf: {
      first_address: 0,
      stride: 1,
      points: [{ metric: 'opening', address: 0, type: 'uint16', scale: 0.001 }],
      command: { setpoint_mm: 0, command: 0, sequence: 0 },
    },
  })
  const readers = Array.from({ length: LINES }, () => {
    const bus = Bus.open(tcpBus(port, 5000), log)
    closers.push(() => bus.close())
    const device = toDevice({ structure: 's', unit: 1, leaves: TAGS }, profile)
    return { device, reader: new BusReader({ bus, timeout_ms: 5000, elapsed: () => performance.now() }) }
  })
  const bare = (line: number) => clients[line]?.readHoldingRegisters(0, TAGS).then((r) => r.data.length) ?? Promise.resolve(0)
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
