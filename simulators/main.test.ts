import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import modbus from 'modbus-serial'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { parseConfig } from '#contract/config.ts'
import { Fault } from '#contract/fault.ts'
import { DeviceProfile } from '#contract/profile.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { EdgeSettings } from '#edge-agent/settings.ts'
import { freePort, tempFolder } from '#test/support/servers.ts'
import { edgeConfigOf, edgeConfigYaml } from './edge-config.ts'
import { layoutOf, openSimulators, type SimulatedSite, type SimulatorSettings, type Simulators } from './main.ts'
import type { ServedRead } from './truth.ts'

const root = join(import.meta.dirname, '..')
const file = join(root, 'edge-agent', 'profiles', 'sluice-gate-rtu.yaml')
const profile = parseConfig(DeviceProfile, { text: await readFile(file, 'utf8'), file })
const district = await loadDistrict(join(root, 'districts', 'hetao'))
const logger = pino({ level: 'silent' })
const t0 = 1_750_000_000_000

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

type Clock = { t: number }
async function open(settings: Partial<SimulatorSettings>, clock: Clock = { t: t0 }): Promise<Simulators> {
  const simulators = await openSimulators(
    { district, profile, host: '127.0.0.1', basePort: 0, seed: 1, ...settings },
    { now: () => clock.t, logger },
  )
  cleanups.push(() => simulators.close())
  return simulators
}

const only = (simulators: Simulators): SimulatedSite => {
  const [site] = simulators.sites
  if (!site || simulators.sites.length !== 1) throw new Error('one site was wanted')
  return site
}

/** Runs mbpoll once. @returns what it printed, and its exit code. */
async function mbpoll(site: SimulatedSite, args: string[], values: string[] = []): Promise<{ output: string; code: number }> {
  const all = ['-m', 'tcp', '-0', '-1', '-o', '2', '-p', String(site.port), ...args, site.host, ...values]
  try {
    const { stdout, stderr } = await promisify(execFile)('/usr/bin/mbpoll', all)
    return { output: stdout + stderr, code: 0 }
  } catch (error) {
    const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number }
    return { output: stdout + stderr, code }
  }
}
const registersIn = (output: string): number[] =>
  [...output.matchAll(/^\[\d+\]:\s+0x([0-9A-F]{4})/gm)].map(([, hex]) => Number.parseInt(hex ?? '', 16))

async function truthIn(path: string): Promise<ServedRead[]> {
  const text = await readFile(path, 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ServedRead)
}

test('what mbpoll reads from a site with three structures is what the truth file says it was told', async () => {
  const folder = tempFolder('truth')
  cleanups.push(() => rm(folder, { recursive: true }))
  const truthFile = join(folder, 'truth.jsonl')
  const clock = { t: t0 }
  const site = only(await open({ sites: ['wt-s001'], truthFile }, clock))
  expect(site.devices).toEqual([
    { structure: 'wt-cj-01', unit: 1, leaves: 3 },
    { structure: 'wt-tb-01', unit: 2, leaves: 3 },
    { structure: 'wt-sh-01', unit: 3, leaves: 3 },
  ])
  const told: { unit: number; address: number; words: number[]; t: number }[] = []
  for (const { unit } of site.devices) {
    for (const [address, count] of [
      [0, 12],
      [100, 60],
      [6, 1],
    ] as const) {
      clock.t += 1234
      const { output, code } = await mbpoll(site, ['-a', String(unit), '-t', '4:hex', '-r', String(address), '-c', String(count)])
      expect(code, output).toBe(0)
      const words = registersIn(output)
      expect(words, output).toHaveLength(count)
      told.push({ unit, address, words, t: clock.t })
    }
  }
  const truth = await truthIn(truthFile)
  expect(truth.map(({ unit, address, words, t }) => ({ unit, address, words, t }))).toEqual(told)
  for (const line of truth) expect(line).toMatchObject({ site: 'wt-s001', fc: 3, structure: site.devices[line.unit - 1]?.structure })
})

test('mbpoll sees the levels as floats and the fault in its own word order', async () => {
  const site = only(await open({ sites: ['yc-s006'] }))
  const { output } = await mbpoll(site, ['-a', '1', '-t', '4:float', '-B', '-r', '0', '-c', '3'])
  const [up, down, flow] = [...output.matchAll(/^\[\d\]:\s+([\d.]+)/gm)].map(([, n]) => Number(n))
  // yc-zh-03: 1.45 m above the sill upstream by design, 1.20 m downstream, 12.6 m³/s.
  expect(up).toBeGreaterThan(1.35)
  expect(up).toBeLessThan(1.55)
  expect(down).toBeLessThan(up ?? 0)
  expect(flow).toBeGreaterThan(3)
  expect(flow).toBeLessThan(12.6)
})

test('a unit that is not on the bus, a register that is not there and a coil are answered by their exceptions', async () => {
  const site = only(await open({ sites: ['yc-s006'] }))
  const client = new modbus.default()
  await client.connectTCP(site.host, { port: site.port })
  cleanups.push(() => new Promise((resolve) => client.close(() => resolve(undefined))))
  const exception = async (unit: number, request: () => Promise<unknown>): Promise<unknown> => {
    client.setID(unit)
    try {
      await request()
    } catch (error) {
      return (error as { modbusCode?: number }).modbusCode
    }
    return 'answered'
  }
  expect(await exception(1, () => client.readHoldingRegisters(0, 12))).toBe('answered')
  expect(await exception(2, () => client.readHoldingRegisters(100, 40))).toBe('answered')
  expect(await exception(9, () => client.readHoldingRegisters(0, 12))).toBe(11)
  expect(await exception(9, () => client.readHoldingRegisters(0, 1))).toBe(11)
  expect(await exception(9, () => client.writeRegister(110, 1))).toBe(11)
  expect(await exception(1, () => client.readHoldingRegisters(139, 2))).toBe(2)
  expect(await exception(1, () => client.readHoldingRegisters(140, 1))).toBe(2)
  expect(await exception(1, () => client.readInputRegisters(0, 2))).toBe(2)
  expect(await exception(1, () => client.readHoldingRegisters(0, 126))).toBe(3)
  expect(await exception(1, () => client.writeRegister(100, 5))).toBe(2)
  expect(await exception(1, () => client.writeRegisters(110, [0, 9, 1]))).toBe(3)
  expect(await exception(1, () => client.readCoils(0, 3))).toBe(1)
  expect(await exception(1, () => client.readDiscreteInputs(0, 1))).toBe(1)
  expect(await exception(1, () => client.writeCoil(0, true))).toBe(1)
  const { output, code } = await mbpoll(site, ['-a', '9', '-t', '4', '-r', '0', '-c', '12'])
  expect(output).toContain('Target device failed to respond')
  expect(code).not.toBe(0)
})

test('a leaf that mbpoll sends to a set-point travels there at its own speed and stops; a stop in between holds it', async () => {
  const clock = { t: t0 }
  const site = only(await open({ sites: ['yc-s006'] }, clock))
  const unit = ['-a', '1', '-t', '4:hex']
  const leaf2 = async (): Promise<{ opening: number; status: number }> => {
    const [opening = -1, status = -1] = registersIn((await mbpoll(site, [...unit, '-r', '120', '-c', '2'])).output)
    return { opening, status }
  }
  const start = (await leaf2()).opening
  // FC 16: set-point, command 4, sequence 1 of leaf 2.
  const sent = await mbpoll(site, ['-a', '1', '-t', '4', '-r', '130'], [String(start + 300), '4', '1'])
  expect(sent.code, sent.output).toBe(0)
  clock.t += 10_000
  const after10 = await leaf2()
  expect(after10.opening - start).toBeGreaterThanOrEqual(33)
  expect(after10.opening - start).toBeLessThanOrEqual(84)
  expect(after10.status).toBe(0b011)
  clock.t += 10_000
  const after20 = await leaf2()
  expect(Math.abs(after20.opening - after10.opening - (after10.opening - start))).toBeLessThanOrEqual(1)
  clock.t += 600_000
  expect(await leaf2()).toEqual({ opening: start + 300, status: 0 })

  // FC 6, one register after the other: lower, then stop.
  for (const [register, value] of [
    ['131', '2'],
    ['132', '2'],
  ] as const) {
    expect((await mbpoll(site, ['-a', '1', '-t', '4', '-r', register], [value])).code).toBe(0)
  }
  clock.t += 5000
  const stopped = (await leaf2()).opening
  expect(stopped).toBeLessThan(start + 300)
  await mbpoll(site, ['-a', '1', '-t', '4', '-r', '131'], ['3'])
  await mbpoll(site, ['-a', '1', '-t', '4', '-r', '132'], ['3'])
  clock.t += 60_000
  expect(await leaf2()).toEqual({ opening: stopped, status: 0 })
})

test('all of Hetao listens in one process, each site on its own port, and every structure answers', async () => {
  const simulators = await open({})
  expect(simulators.sites.map((s) => s.id)).toEqual(district.sites.map((s) => s.id))
  expect(new Set(simulators.sites.map((s) => s.port)).size).toBe(district.sites.length)
  let answered = 0
  for (const site of simulators.sites) {
    const client = new modbus.default()
    await client.connectTCP(site.host, { port: site.port })
    for (const { unit, leaves } of site.devices) {
      client.setID(unit)
      const { data } = await client.readHoldingRegisters(100 + 20 * (leaves - 1), 1)
      expect(data[0], site.id).toBeGreaterThan(0)
      answered++
    }
    await new Promise((resolve) => client.close(() => resolve(undefined)))
  }
  expect(answered).toBe(94)
})

test('a site keeps its port whichever others are opened, and a taken port is named', async () => {
  const blocker = createServer()
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => new Promise((resolve) => blocker.close(resolve)))
  const address = blocker.address()
  if (!address || typeof address === 'string') throw new Error('no address')
  const second = district.sites[1]?.id ?? ''
  const error = await open({ basePort: address.port - 1, sites: [second] }).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(Fault)
  expect(error).toMatchObject({ code: 'PORT_TAKEN', message: `port ${address.port} on 127.0.0.1 is in use` })
})

test('the layout is known before anything listens, as the configurations of the agents need it', async () => {
  const basePort = await freePort()
  const settings = { district, profile, host: '127.0.0.1', basePort: basePort - 2, seed: 1, sites: [district.sites[2]?.id ?? ''] }
  expect((await open(settings)).sites).toEqual(layoutOf(settings))
  expect(() => layoutOf({ ...settings, basePort: 0 })).toThrow(Fault)
})

test('a site that the district does not have is named', async () => {
  await expect(open({ sites: ['yc-s006', 'yc-s999'] })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('yc-s999'),
  })
})

test('the agent of a simulated site accepts the settings that are made for it', async () => {
  const site = only(await open({ sites: ['yc-s006'] }))
  const choices = { brokerUrl: 'mqtt://127.0.0.1:1883', outboxPath: '/tmp/outbox', pollIntervalMs: 1000, profile: profile.name }
  const settings = parseConfig(EdgeSettings, { text: edgeConfigYaml(site, choices), file: 'edge.yaml' })
  expect(settings).toMatchObject(edgeConfigOf(site, choices))
  expect(settings.buses[0]?.devices).toMatchObject([
    { structure: 'yc-zh-03', unit: 1, profile: 'sluice-gate-rtu', leaves: 2 },
    { structure: 'yc-zd-01', unit: 2, profile: 'sluice-gate-rtu', leaves: 2 },
  ])
})
