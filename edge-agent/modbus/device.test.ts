import { expect, test } from 'vitest'
import { bad, good } from '#contract/reading.ts'
import { profileOf } from '#test/support/profile.ts'
import type { BusReply } from './bus.ts'
import { readDevice, toDevice } from './device.ts'
import type { ReadRequest } from './request.ts'

const settings = { structure: 's', unit: 1, leaves: 1 }
const words = (...values: number[]): BusReply => ({ kind: 'words', words: values })
const refusal: BusReply = { kind: 'bad', reason: 'exception_illegal_address' }
const three = profileOf({
  points: [
    { metric: 'battery', address: 0, type: 'uint16', scale: 0.01 },
    { metric: 'mode', address: 10, type: 'uint16' },
    { metric: 'rssi', address: 20, type: 'int16' },
  ],
})

/** Answers from registers; an address that is not among them is refused. */
const holding =
  (registers: Record<number, number>, asked: string[] = []) =>
  async ({ address, words: count }: ReadRequest): Promise<BusReply> => {
    asked.push(`${address}+${count}`)
    const values = Array.from({ length: count }, (_, i) => registers[address + i])
    return values.every((v) => v !== undefined) ? words(...values) : refusal
  }

test('a block that the device refuses makes its own values BAD and no others', async () => {
  expect(await readDevice(toDevice(settings, three), holding({ 0: 1263, 20: 65_461 }))).toEqual(
    new Map([
      ['battery', good(12.63)],
      ['mode', bad('exception_illegal_address')],
      ['rssi', good(-75)],
    ]),
  )
})

test('a silent device is asked once, and all its values are BAD with the reason', async () => {
  const asked: number[] = []
  const readings = await readDevice(toDevice(settings, three), async ({ address }) => {
    asked.push(address)
    return { kind: 'bad', reason: 'timeout' }
  })
  expect(asked).toEqual([0])
  expect([...readings]).toEqual(['battery', 'mode', 'rssi'].map((m) => [m, bad('timeout')]))
})

test('a device that is silent about one block is asked for the others', async () => {
  const readings = await readDevice(toDevice(settings, three), async ({ address }) =>
    address === 10 ? { kind: 'bad', reason: 'timeout' } : words(0),
  )
  expect([...readings.values()].map((r) => r.quality)).toEqual(['good', 'bad', 'good'])
})

test('a block that is refused is asked for in parts, and from then on only in those that the device gives', async () => {
  const device = toDevice(settings, profileOf({ ...three, max_gap: 20 }))
  const registers = { 0: 1263, 10: 1, 20: 65_461 }
  const asked: string[] = []
  const first = await readDevice(device, holding(registers, asked))
  expect([...first.values()].every((r) => r.quality === 'good')).toBe(true)
  expect(asked).toEqual(['0+21', '0+1', '10+11', '10+1', '20+1'])
  asked.length = 0
  expect(await readDevice(device, holding(registers, asked))).toEqual(first)
  expect(asked).toEqual(['0+1', '10+1', '20+1'])
})

test('a device that refuses everything while it starts is not asked in parts for ever after', async () => {
  const device = toDevice(settings, profileOf({ ...three, max_gap: 20 }))
  await readDevice(device, async () => refusal)
  const asked: string[] = []
  await readDevice(device, holding(Object.fromEntries(Array.from({ length: 21 }, (_, i) => [i, 1])), asked))
  expect(asked).toEqual(['0+21'])
})

test('the unit of a value is read from the device, and one that the profile does not know makes it BAD', async () => {
  const level = { metric: 'level_up', address: 5, type: 'uint16', units: [{ address: 9, factors: { 0: 0.001, 1: 0.01, 4: 0.3048 } }] }
  const device = toDevice(settings, profileOf({ points: [level] }))
  const shown = async (unit: number) => (await readDevice(device, holding({ 5: 200, 9: unit }))).get('level_up')
  expect(await shown(0)).toEqual(good(0.2))
  expect(await shown(1)).toEqual(good(2))
  expect(await shown(7)).toEqual(bad('sensor_fault'))
})

test('a value whose status bit says no echo is BAD, and so is one that the device calls missing or can not have', async () => {
  const level = {
    metric: 'level_up',
    address: 1,
    type: 'uint16',
    scale: 0.001,
    range: [0, 10],
    missing: [0xffff],
    valid_when: [{ address: 4, bit: 0, is: 1 }],
  }
  const device = toDevice(settings, profileOf({ address_base: 1, points: [level] }))
  const shown = async (raw: number, status: number) => (await readDevice(device, holding({ 0: raw, 3: status }))).get('level_up')
  expect(await shown(1234, 1)).toEqual(good(1.234))
  expect(await shown(1234, 2)).toEqual(bad('sensor_fault'))
  expect(await shown(0xffff, 1)).toEqual(bad('no_value'))
  expect(await shown(12_000, 1)).toEqual(bad('out_of_range'))
})

test('a device that says in which order it sends its bytes is believed', async () => {
  const device = toDevice(
    settings,
    profileOf({ endian: { address: 0, orders: { 0: 'DCBA', 3: 'ABCD' } }, points: [{ metric: 'flow', address: 1, type: 'float32' }] }),
  )
  const shown = async (order: number, a: number, b: number) => (await readDevice(device, holding({ 0: order, 1: a, 2: b }))).get('flow')
  expect(await shown(3, 0x41f0, 0)).toEqual(good(30))
  expect(await shown(0, 0, 0xf041)).toEqual(good(30))
  expect(await shown(9, 0x41f0, 0)).toEqual(bad('sensor_fault'))
})

test('a device that is busy is asked again before its values are, and given up when it stays so', async () => {
  const busy = { address: 0, wait_ms: 10, tries: 3 }
  const device = toDevice(settings, profileOf({ busy, points: [{ metric: 'flow', address: 1, type: 'uint16' }] }))
  let left = 2
  const asked: number[] = []
  const ask = async ({ address }: ReadRequest): Promise<BusReply> => {
    asked.push(address)
    return words(address === 0 ? Number(left-- > 0) : 7)
  }
  expect((await readDevice(device, ask)).get('flow')).toEqual(good(7))
  expect(asked).toEqual([0, 0, 0, 1])
  left = 99
  expect((await readDevice(device, ask)).get('flow')).toEqual(bad('exception_busy'))
})

test('two readings of the staff gauge correct a level, and a sensor of the other side is told so by the site', async () => {
  const level = { metric: 'level_up', address: 0, type: 'uint16', scale: 0.001 }
  const points = {
    level_up: {
      as: 'level_down',
      calibration: [[1, 1.02] as [number, number], [2, 2.06] as [number, number]] as [[number, number], [number, number]],
    },
  }
  const device = toDevice({ ...settings, points }, profileOf({ points: [level] }))
  const readings = await readDevice(device, holding({ 0: 1500 }))
  expect([...readings]).toEqual([['level_down', good(1.54)]])
})
