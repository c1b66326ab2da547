import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import modbus from 'modbus-serial'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { parseConfig } from '#contract/config.ts'
import { loadProfiles } from '#edge-agent/load-profiles.ts'
import { type Edge, openEdge } from '#edge-agent/main.ts'
import { Bus } from '#edge-agent/modbus/bus.ts'
import { BusReader } from '#edge-agent/modbus/bus-reader.ts'
import { toDevice } from '#edge-agent/modbus/device.ts'
import { EdgeSettings } from '#edge-agent/settings.ts'
import { tcpBus } from '#test/support/modbus.ts'
import { profileOf } from '#test/support/profile.ts'
import { root } from '../support/program.ts'
import { tempFolder } from '../support/servers.ts'

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

const profilesFolder = join(root, 'edge-agent/profiles')
/** A site whose devices are our gate controller, all behind one gateway for each bus. */
function siteSettings(
  site: string,
  { port, devices, leaves, everyMs }: { port: number; devices: number; leaves: number; everyMs: number },
  more: object,
) {
  const unit = (i: number) => ({ structure: `${site}-${i + 1}`, unit: (i % 247) + 1, profile: 'sluice-gate-rtu', leaves })
  return {
    site,
    area: 'bench',
    broker: { url: 'mqtt://127.0.0.1:1' },
    poll: { interval_ms: everyMs },
    buses: [{ name: 'gates', host: '127.0.0.1', port, devices: Array.from({ length: devices }, (_, i) => unit(i)) }],
    ...more,
  }
}

const SECONDS = Number(process.env['SLUICE_BENCH_SECONDS'] ?? 60)

test('an agent with 16 devices and 208 metrics at 1 s stays small and keeps to the grid', async () => {
  const folder = tempFolder('bench')
  closers.push(() => rmSync(folder, { recursive: true, force: true }))
  const [config, journal] = [join(folder, 'site.yaml'), join(folder, 'journal.jsonl')]
  const shape = { port: await registers(), devices: 16, leaves: 4, everyMs: 1000 }
  writeFileSync(config, stringify(siteSettings('bench-1', shape, { outbox: { path: join(folder, 'outbox') }, journal })))
  const agent = spawn(process.execPath, [join(root, 'dist/sluice.js'), 'edge', 'run', '--config', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  closers.push(() => endProcess(agent))
  const jiffies = (): number => {
    const fields = readFileSync(`/proc/${agent.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return Number(fields[11]) + Number(fields[12])
  }
  const rss_mb = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${agent.pid}/status`, 'utf8'))?.[1]) / 1024
  await sleep(10_000)
  const [cpu0, rss0] = [jiffies(), rss_mb()]
  await sleep(SECONDS * 1000)
  const [cpu, rss] = [(jiffies() - cpu0) / 100 / SECONDS, rss_mb()]
  const lines = readFileSync(journal, 'utf8')
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l) as { structure?: string; t?: number; missed?: number })
  // The first device of each cycle; the others follow on the same bus.
  const late = lines
    .filter((l) => l.structure === 'bench-1-1')
    .map((l) => (l.t ?? 0) % 1000)
    .sort((a, b) => a - b)
  const at = (share: number): number => late[Math.min(late.length - 1, Math.floor(share * late.length))] ?? Number.NaN
  const missed = lines.filter((l) => l.missed !== undefined).length
  process.stdout.write(
    `16 devices, 208 metrics, 1 s, no broker, ${SECONDS} s: RSS ${rss0.toFixed(0)} then ${rss.toFixed(0)} MB, ${(cpu * 100).toFixed(1)} % of a core; first answer after the grid: median ${at(0.5)} ms, p99 ${at(0.99)} ms; ${missed} of ${late.length} cycles missed\n`,
  )
  expect(rss).toBeLessThan(90)
})

test('twenty agents poll a thousand devices', async () => {
  const folder = tempFolder('bench')
  closers.push(() => rmSync(folder, { recursive: true, force: true }))
  const profiles = await loadProfiles(profilesFolder)
  const port = await registers()
  const agents: Edge[] = []
  for (let i = 0; i < 20; i++) {
    const site = `bench-${i}`
    const text = stringify(siteSettings(site, { port, devices: 50, leaves: 1, everyMs: 1000 }, { outbox: { path: join(folder, site) } }))
    const agent = await openEdge(parseConfig(EdgeSettings, { text, file: site }), { log, profiles })
    closers.push(() => agent.close())
    agents.push(agent)
  }
  const before = process.cpuUsage()
  await sleep(SECONDS * 1000)
  const cpu = process.cpuUsage(before)
  const sum = (of: (edge: Edge) => number): number => agents.reduce((all, agent) => all + of(agent), 0)
  const [kept, missed] = [sum((a) => a.stats().kept), sum((a) => a.stats().missed_cycles)]
  process.stdout.write(
    `20 agents in one process, 1000 devices, 1 s, ${SECONDS} s: ${kept} device readings kept, ${missed} of ${20 * SECONDS} poll cycles missed, ${((cpu.user + cpu.system) / 1e4 / SECONDS).toFixed(0)} % of a core\n`,
  )
  expect(kept).toBeGreaterThan(0)
})
