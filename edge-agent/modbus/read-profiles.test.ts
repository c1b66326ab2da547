import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import type { DeviceProfile } from '#contract/profile.ts'
import type { Reading } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { type LineAt, openDeviceLine } from '#simulators/device-line.ts'
import type { Sensed } from '#simulators/devices/register-device.ts'
import { MOUNTED_M, SENSORS } from '#simulators/devices/sensors.ts'
import { parseOrder } from '#simulators/faults/order.ts'
import { Faults } from '#simulators/faults.ts'
import type { ServedRead } from '#simulators/truth.ts'
import { mbpoll, serialPair } from '#test/support/modbus.ts'
import { freePort, until } from '#test/support/servers.ts'
import { loadProfiles } from '../load-profiles.ts'
import { Bus, type BusAddress } from './bus.ts'
import { readDevice, toDevice } from './device.ts'
import { DtuListeners } from './line/dtu-listener.ts'

const log = pino({ level: 'silent' })
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const profiles = await loadProfiles(join(import.meta.dirname, '..', 'profiles'))
const sensed: Sensed = { level_m: 1.62, velocity_m_s: 0.937, flow_m3_s: 12.34, total_m3: 7_654_321, temperature_c: 17, battery_v: 12.6 }
/** What each must be read as: [value, resolution of the sensor]. A sensor that looks down shows how far the water is below it. */
const below: [number, number] = [sensed.level_m - MOUNTED_M, 0.01]
const EXPECTED: Record<string, Record<string, [value: number, resolution: number]>> = {
  'cyk-ludp': { level_up: [sensed.level_m, 0.01] },
  'ulm-53l': { level_up: [sensed.level_m, 0.001], temperature: [17, 1] },
  'fts-300wl': { velocity: [0.937, 0.001], flow: [12.34, 0.001], level_up: below, temperature: [17, 1] },
  'sommer-ush9': { level_up: below, temperature: [17, 0.001] },
  'ysi-h3553t': { level_up: [sensed.level_m, 0.0001], temperature: [17, 0.001], battery: [12.6, 0.001] },
  'tuf-2000': { flow: [12.34, 0.0001], velocity: [0.937, 0.0001], volume_total: [7_654_321, 0.1] },
  nivusonic: { flow: [12.34, 0.001], level_up: [sensed.level_m, 0.001], velocity: [0.937, 0.001], temperature: [17, 0.01] },
  'encardio-esm12s': { level_up: [sensed.level_m, 0.0001], temperature: [17, 0.001] },
}
/** A number that mbpoll can show of each: its arguments, and what it must say. */
const BY_MBPOLL: Record<string, [args: string[], value: number]> = {
  'cyk-ludp': [['-t', '4', '-r', '0'], 162],
  'ulm-53l': [['-t', '4', '-r', '101'], 1620],
  'fts-300wl': [['-t', '4', '-r', '4'], 937],
  'sommer-ush9': [['-t', '3:float', '-B', '-r', '38'], 2880],
  'ysi-h3553t': [['-t', '4:float', '-B', '-r', '33'], 17],
  'tuf-2000': [['-t', '4:float', '-r', '4'], 0.937],
  nivusonic: [['-t', '3', '-r', '1'], 12_340],
  'encardio-esm12s': [['-t', '4', '-r', '217'], 1],
}

const names = SENSORS.map((s) => s.profile)
const profileNamed = (name: string): DeviceProfile => {
  const profile = profiles.get(name)
  if (!profile) throw new Error(`there is no profile ${name}`)
  return profile
}

async function serve(at: LineAt, name: string, faults = new Faults(1), served?: (read: ServedRead) => void) {
  const line = await openDeviceLine(
    { name: 'bench', at, profiles: [profileNamed(name)], sense: () => sensed, faults },
    { now: Date.now, logger: log, ...(served && { served }) },
  )
  closers.push(() => line.close())
  return line
}
const timing = { timeout_ms: 2000, pause_ms: 0, late_ms: 100 }
function openBus(address: BusAddress, listeners?: DtuListeners): Bus {
  const bus = Bus.open(address, log, listeners)
  closers.push(() => bus.close())
  return bus
}
const readAll = (bus: Bus, name: string): Promise<ReadonlyMap<string, Reading>> =>
  readDevice(toDevice({ structure: 's', unit: 1, leaves: 1 }, profileNamed(name)), (request) => bus.read(request))

function expectRight(name: string, readings: ReadonlyMap<string, Reading>): void {
  const expected = EXPECTED[name] ?? {}
  expect([...readings.keys()].sort()).toEqual(Object.keys(expected).sort())
  for (const [metric, [value, resolution]] of Object.entries(expected)) {
    const reading = readings.get(metric)
    if (reading?.quality !== 'good') expect.fail(`${name} ${metric}: ${JSON.stringify(reading)}`)
    expect(Math.abs(reading.value - value), `${metric} ${reading.value}`).toBeLessThanOrEqual(resolution * 1.01)
  }
}

test('every profile but our own gate’s has a simulated sensor', () => {
  expect([...profiles.keys()].filter((n) => n !== 'sluice-gate-rtu').sort()).toEqual([...names].sort())
})

test.each(names)('%s is read right over its serial line, by the agent and by mbpoll', async (name) => {
  const { serial } = profileNamed(name)
  if (!serial) throw new Error(`${name} has no serial format`)
  const pair = await serialPair()
  closers.push(() => pair.close())
  await serve({ transport: 'serial', path: pair.theirs, baud_rate: serial.baud_rate, parity: serial.parity }, name)
  const bus = openBus({ name, transport: 'serial', path: pair.ours, ...serial, ...timing })
  expectRight(name, await readAll(bus, name))
  bus.close()
  const [args, value] = BY_MBPOLL[name] ?? [[], Number.NaN]
  const shown = await mbpoll(['-m', 'rtu', '-b', String(serial.baud_rate), '-P', serial.parity, '-a', '1', ...args, '-c', '1', pair.ours])
  expect(Number([...shown.values()][0])).toBeCloseTo(value, 2)
})

test.each(names)('%s is read right behind a DTU that dials in and strews its heartbeat', async (name) => {
  const listen_port = await freePort()
  const listeners = new DtuListeners(log)
  const dtu = { transport: 'dtu', listen_host: '127.0.0.1', listen_port, registration: 'SITE-7', heartbeat: 'hex:fe' } as const
  const bus = openBus({ name, ...dtu, ...timing }, listeners)
  await listeners.listening()
  await serve(
    {
      transport: 'dtu',
      host: '127.0.0.1',
      port: listen_port,
      registration: Buffer.from('SITE-7'),
      heartbeat: Buffer.from([0xfe]),
      heartbeat_ms: 3,
    },
    name,
  )
  await until(async () => expectRight(name, await readAll(bus, name)))
})

test.each(names)('%s is read right over RTU in TCP and over Modbus TCP, by the agent and by mbpoll', async (name) => {
  const [rtu, tcp] = await Promise.all([
    serve({ transport: 'rtu-over-tcp', host: '127.0.0.1', port: 0 }, name),
    serve({ transport: 'tcp', host: '127.0.0.1', port: 0 }, name),
  ])
  expectRight(name, await readAll(openBus({ name, transport: 'rtu-over-tcp', host: '127.0.0.1', port: rtu.port ?? 0, ...timing }), name))
  expectRight(name, await readAll(openBus({ name, transport: 'tcp', host: '127.0.0.1', port: tcp.port ?? 0, ...timing }), name))
  const [args, value] = BY_MBPOLL[name] ?? [[], Number.NaN]
  const shown = await mbpoll(['-m', 'tcp', '-p', String(tcp.port), '-a', '1', ...args, '-c', '1', '127.0.0.1'])
  expect(Number([...shown.values()][0])).toBeCloseTo(value, 2)
})

test('a read across the zones of the CYK gauge is refused by it, and the profile makes none', async () => {
  const { port } = await serve({ transport: 'tcp', host: '127.0.0.1', port: 0 }, 'cyk-ludp')
  const bus = openBus({ name: 'b', transport: 'tcp', host: '127.0.0.1', port: port ?? 0, ...timing })
  expect(await bus.read({ unit: 1, space: 'holding', address: 0x20, words: 4 })).toEqual({
    kind: 'bad',
    reason: 'exception_illegal_address',
  })
  expect((await bus.read({ unit: 1, space: 'holding', address: 0x22, words: 4 })).kind).toBe('words')
})

test('whatever is wrong with a sensor on an RTU line, a value that it did not serve is never read', async () => {
  const faults = new Faults(7)
  const served: ServedRead[] = []
  const { port } = await serve({ transport: 'rtu-over-tcp', host: '127.0.0.1', port: 0 }, 'ulm-53l', faults, (read) => served.push(read))
  const bus = openBus({
    name: 'b',
    transport: 'rtu-over-tcp',
    host: '127.0.0.1',
    port: port ?? 0,
    timeout_ms: 60,
    pause_ms: 0,
    late_ms: 150,
  })
  const kinds = [
    { kind: 'crc_error' },
    { kind: 'wrong_length' },
    { kind: 'wrong_unit' },
    { kind: 'wrong_function' },
    { kind: 'no_answer' },
    { kind: 'late', delay_ms: 100 },
    { kind: 'exception', code: 6 },
  ]
  for (const kind of kinds) {
    const order = parseOrder({ site: 'bench', ...kind }, { place: 'test', code: 'CONFIG_INVALID' })
    const { id } = faults.add(order, unixMs(Date.now()))
    const reading = (await readAll(bus, 'ulm-53l')).get('level_up')
    expect(reading?.quality, kind.kind).toBe('bad')
    faults.remove(id)
    await until(async () => expectRight('ulm-53l', await readAll(bus, 'ulm-53l')))
  }
  for (const kind of [{ kind: 'split', segments: 5, gap_ms: 2 }, { kind: 'merged' }]) {
    const order = parseOrder({ site: 'bench', ...kind }, { place: 'test', code: 'CONFIG_INVALID' })
    const { id } = faults.add(order, unixMs(Date.now()))
    expectRight('ulm-53l', await readAll(bus, 'ulm-53l'))
    faults.remove(id)
  }
  expect(served.some((read) => read.corrupted === 'crc_error')).toBe(true)
})
