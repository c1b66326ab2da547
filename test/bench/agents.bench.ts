/**
 * Agents of the archive, each a process as in a gatehouse, with a broker that receipts: what they cost and whether they keep to the grid.
 * Twenty that poll 50 Modbus TCP devices each at 1 s (SLUICE_BENCH_AGENTS, SLUICE_BENCH_DEVICES), and one with 16 devices and 208 metrics.
 * SLUICE_BENCH_SECONDS is how long each is measured.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { type AgentStatus, askStatus } from '#edge-agent/commission/status.ts'
import { SmallHost } from '#edge-agent/uplink/small-host.ts'
import { cpuSeconds, type Program, residentMb, root, startProgram } from '../support/program.ts'
import { startMosquitto, tempFolder, until } from '../support/servers.ts'

const SECONDS = Number(process.env['SLUICE_BENCH_SECONDS'] ?? 30)
const AGENTS = Number(process.env['SLUICE_BENCH_AGENTS'] ?? 20)
const DEVICES = Number(process.env['SLUICE_BENCH_DEVICES'] ?? 50)
const EVERY_MS = 1000
/** The first cycles open connections and births. */
const SETTLE_MS = 10_000

const folder = tempFolder('agents')
const closers: (() => unknown)[] = []
let sluice = ''
beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'bin/build-edge.mjs'), '--arch', process.arch, '--out', folder], { stdio: 'ignore' })
  const archive = readdirSync(folder).find((f) => f.startsWith('sluice-edge') && !f.endsWith('.gz')) ?? ''
  sluice = join(folder, archive, 'bin', 'sluice')
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Lateness = { readonly polls: number; readonly median_ms: number; readonly p99_ms: number; readonly most_ms: number }

/** Devices in a process of their own. `lateness` is of all polls since it was last asked, by the clock of this machine, after the grid. */
async function openDevices(count: number): Promise<{ ports: readonly number[]; lateness(): Promise<Lateness> }> {
  const child = spawn(process.execPath, [join(root, 'test/support/polled-devices.mjs'), String(count), String(EVERY_MS)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  closers.push(async () => {
    child.stdin.end()
    await ended
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async <T>(): Promise<T> => JSON.parse(String((await lines.next()).value)) as T
  return {
    ports: await line<number[]>(),
    lateness: () => {
      child.stdin.write('\n')
      return line<Lateness>()
    },
  }
}

type Agent = { readonly program: Program; readonly host: SmallHost; readonly outbox: string }
type Bus = { readonly port: number; readonly devices: number; readonly leaves: number }

async function startAgent(site: string, buses: readonly Bus[], brokerUrl: string): Promise<Agent> {
  const area = `area-${site}`
  const outbox = join(folder, site)
  const device = (b: number) => (_: unknown, i: number) => ({
    structure: `${site}-${b + 1}-${i + 1}`,
    unit: i + 1,
    profile: 'sluice-gate-rtu',
    leaves: buses[b]?.leaves ?? 1,
  })
  const settings = {
    site,
    area,
    broker: { url: brokerUrl },
    outbox: { path: outbox },
    poll: { interval_ms: EVERY_MS },
    buses: buses.map((bus, b) => ({
      name: `bus-${b + 1}`,
      host: '127.0.0.1',
      port: bus.port,
      devices: Array.from({ length: bus.devices }, device(b)),
    })),
  }
  writeFileSync(join(folder, `${site}.yaml`), stringify(settings))
  const host = await SmallHost.open(brokerUrl, { node: { group: area, node: site }, receipts: true })
  closers.push(() => host.close())
  const program = await startProgram(site, ['edge', 'run', '--config', join(folder, `${site}.yaml`)], {
    ready: 'edge agent runs',
    program: sluice,
    env: { SLUICE_LOG_LEVEL: 'info' },
  })
  closers.push(() => program.stop())
  return { program, host, outbox }
}

async function statusOf(agent: Agent): Promise<AgentStatus> {
  const status = await askStatus(agent.outbox)
  if (!status) throw new Error(`${agent.program.name} does not run`)
  return status
}

type Measured = { readonly mb: number; readonly cpu: number; readonly missed: number; readonly kept: number; readonly good: number }

/** Over SECONDS, for each agent: resident memory at the end, share of one core, grid times missed, device readings kept, and read all GOOD. */
async function measure(agents: readonly Agent[]): Promise<Measured[]> {
  const look = async (agent: Agent) => {
    const { stats, devices } = await statusOf(agent)
    const good = devices.reduce((n, d) => n + d.reads_good, 0)
    return { cpu: cpuSeconds(agent.program.pid()), at: performance.now(), missed: stats.missed_cycles, kept: stats.kept, good }
  }
  const before = await Promise.all(agents.map(look))
  const forgetting = setInterval(() => {
    for (const { host } of agents) host.heard.splice(0)
  }, EVERY_MS)
  await sleep(SECONDS * 1000)
  clearInterval(forgetting)
  const after = await Promise.all(agents.map(look))
  return await Promise.all(
    agents.map(async (agent, i) => {
      const [a, b] = [before[i], after[i]]
      if (!a || !b) throw new Error('an agent was not looked at')
      return {
        mb: await residentMb(agent.program.pid()),
        cpu: ((b.cpu - a.cpu) / (b.at - a.at)) * 1000,
        missed: b.missed - a.missed,
        kept: b.kept - a.kept,
        good: b.good - a.good,
      }
    }),
  )
}

const sum = (rows: readonly Measured[], of: (m: Measured) => number): number => rows.reduce((n, m) => n + of(m), 0)
const range = (rows: readonly Measured[], of: (m: Measured) => number, digits: number): string =>
  `mean ${(sum(rows, of) / rows.length).toFixed(digits)}, most ${Math.max(...rows.map(of)).toFixed(digits)}`

test('one agent with 16 devices and 208 metrics at 1 s is small, takes little and misses no poll', async () => {
  const devices = await openDevices(1)
  const mosquitto = await startMosquitto()
  closers.push(() => mosquitto.stop())
  const agent = await startAgent('bench-16', [{ port: devices.ports[0] ?? 0, devices: 16, leaves: 4 }], mosquitto.url)
  await sleep(SETTLE_MS)
  await devices.lateness()
  const [m] = await measure([agent])
  const late = await devices.lateness()
  if (!m) throw new Error('nothing was measured')
  process.stdout.write(
    `1 agent, 16 devices behind one gateway, 208 metrics, 1 s, ${SECONDS} s: RSS ${m.mb.toFixed(1)} MB, ${(m.cpu * 100).toFixed(1)} % of a core; poll after the grid: median ${late.median_ms} ms, p99 ${late.p99_ms} ms; ${m.missed} of ${SECONDS} polls missed; ${m.good} device reads GOOD, ${m.kept} kept\n`,
  )
  expect(m.good).toBeGreaterThan(16 * SECONDS * 0.9)
  expect(m.mb).toBeLessThan(90)
})

test('twenty agents poll a thousand devices at 1 s', async () => {
  const devices = await openDevices(AGENTS * DEVICES)
  const mosquitto = await startMosquitto()
  closers.push(() => mosquitto.stop())
  const agents = await Promise.all(
    Array.from({ length: AGENTS }, (_, i) => {
      const ports = devices.ports.slice(i * DEVICES, (i + 1) * DEVICES)
      const buses = ports.map((port) => ({ port, devices: 1, leaves: 1 }))
      return startAgent(`bench-${i + 1}`, buses, mosquitto.url)
    }),
  )
  await until(async () => {
    for (const agent of agents) expect((await statusOf(agent)).stats.connected).toBe(true)
  })
  await sleep(SETTLE_MS)
  await devices.lateness()
  const rows = await measure(agents)
  const late = await devices.lateness()
  const due = AGENTS * DEVICES * SECONDS
  process.stdout.write(
    `${AGENTS} agents, ${AGENTS * DEVICES} devices with a connection each, 1 s, ${SECONDS} s: ${sum(rows, (m) => m.missed)} of ${due} polls missed; poll after the grid: median ${late.median_ms} ms, p99 ${late.p99_ms} ms, most ${late.most_ms} ms; per agent ${range(rows, (m) => m.cpu * 100, 1)} % of a core, RSS ${range(rows, (m) => m.mb, 1)} MB; ${sum(rows, (m) => m.good)} device reads GOOD, ${sum(rows, (m) => m.kept)} kept\n`,
  )
  // What the agents count as not missed has been polled.
  expect(late.polls + sum(rows, (m) => m.missed)).toBeGreaterThan(due * 0.98)
})
