import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseConfig } from '#contract/config.ts'
import { DeviceProfile } from '#contract/profile.ts'
import { unixMs } from '#contract/units.ts'
import type { PlannedFault } from '../faults.ts'
import { imageOf, type RtuState } from '../register-map.ts'
import { distortProfile, distortState } from './distort.ts'
import { parseOrder } from './order.ts'
import { StillingWells } from './stilling-well.ts'

const file = join(import.meta.dirname, '..', '..', 'edge-agent', 'profiles', 'sluice-gate-rtu.yaml')
const profile = parseConfig(DeviceProfile, { text: await readFile(file, 'utf8'), file })

const planned = (o: object): PlannedFault => ({
  id: 'f1',
  order: parseOrder({ site: 'a', ...o }, { place: 'test', code: 'CONFIG_INVALID' }),
  from: unixMs(1000),
  until: null,
})
/** Every value is the time. */
const stateAt = (t: number): RtuState => ({
  values: { level_up: t, flow: t },
  leaves: [
    { values: { opening: t }, words: { 1: t } },
    { values: { opening: t }, words: { 1: t } },
  ],
})
const shown = (...orders: object[]): RtuState => shownAt(5000, ...orders)
const shownAt = (t: number, ...orders: object[]): RtuState =>
  distortState(orders.map(planned), { t: unixMs(t), stateAt, wells: new StillingWells(), device: 'a 1' })

test('a frozen metric shows what it showed when the fault began, and the others go on', () => {
  expect(shown({ kind: 'frozen', metric: 'level_up' })).toEqual({ ...stateAt(5000), values: { level_up: 1000, flow: 5000 } })
  expect(shown({ kind: 'frozen', metric: 'opening_2' }).leaves.map((l) => l.values['opening'])).toEqual([5000, 1000])
  expect(shown({ kind: 'frozen' })).toEqual(stateAt(1000))
})

test('a spike adds, another unit multiplies, and both are seen together', () => {
  expect(shown({ kind: 'spike', metric: 'flow', by: -7000 }).values).toEqual({ level_up: 5000, flow: -2000 })
  expect(shown({ kind: 'unit_change', metric: 'level_up', factor: 100 }).values).toEqual({ level_up: 500_000, flow: 5000 })
  expect(shown({ kind: 'unit_change', metric: 'flow', factor: 2 }, { kind: 'spike', metric: 'flow', by: 1 }).values['flow']).toBe(10_001)
  expect(shown({ kind: 'unit_change', metric: 'opening', factor: 0.5 }).leaves.map((l) => l.values['opening'])).toEqual([2500, 5000])
})

test('swapped words exchange the registers of 32-bit values and leave the others', () => {
  const served = (...orders: object[]) =>
    imageOf(distortProfile(profile, orders.map(planned)), {
      values: { level_up: 2.5, flow: 33, battery: 12.63, fault: 0x0001_0002 },
      leaves: [],
    }).holding
  const right = served()
  expect(right.slice(0, 12)).toEqual([0x4020, 0, 0x7fc0, 0, 0x4204, 0, 1263, 0, 0, 0, 2, 1])
  expect(served({ kind: 'swapped_words' }).slice(0, 12)).toEqual([0, 0x4020, 0, 0x7fc0, 0, 0x4204, 1263, 0, 0, 0, 1, 2])
  expect(served({ kind: 'swapped_words', metric: 'flow' }).slice(0, 12)).toEqual([0x4020, 0, 0x7fc0, 0, 0, 0x4204, 1263, 0, 0, 0, 2, 1])
  expect(served({ kind: 'frozen' })).toEqual(right)
})

test('a value drifts by so much a day since the fault began, and noise stays within its bounds and is the same for the same time', () => {
  const day = 86_400_000
  const drifted = shownAt(1000 + 2 * day, { kind: 'drift', metric: 'level_up', per_day: -0.05 })
  expect(drifted.values['level_up']).toBeCloseTo(1000 + 2 * day - 0.1, 6)
  const noise = { kind: 'noise', metric: 'level_up', by: 0.2 }
  const off = Array.from({ length: 500 }, (_, i) => (shownAt(2000 + i, noise).values['level_up'] ?? Number.NaN) - (2000 + i))
  expect(Math.max(...off.map(Math.abs))).toBeLessThanOrEqual(0.2)
  expect(Math.max(...off)).toBeGreaterThan(0.18)
  expect(Math.min(...off)).toBeLessThan(-0.18)
  expect(shownAt(2000, noise)).toEqual(shownAt(2000, noise))
})

test('a silted well follows a step by 63 % in its time constant, asked seldom or often, and each device has its own', () => {
  // The water steps from 1 to 2 m at once when the fault begins.
  const stepped = (t: number): RtuState => ({ values: { level_up: t > 1000 ? 2 : 1 }, leaves: [] })
  const [fault] = [planned({ kind: 'silted_well', metric: 'level_up', time_constant_s: 600 })]
  const wells = new StillingWells()
  const levelOf = (device: string, t: number): number =>
    distortState([fault], { t: unixMs(t), stateAt: stepped, wells, device }).values['level_up'] ?? Number.NaN
  expect(levelOf('once', 601_000)).toBeCloseTo(2 - Math.exp(-1), 9)
  for (let t = 1000; t < 601_000; t += 7000) levelOf('often', t)
  expect(levelOf('often', 601_000)).toBeCloseTo(2 - Math.exp(-1), 9)
  expect(levelOf('often', 601_000)).toBe(levelOf('often', 601_000))
})

test('on ice a sounder sees the part of the ice that stands out of the water, and nothing moves', () => {
  const water = (): RtuState => ({ values: { level_up: 2, level_down: 1.5, velocity: 0.9, flow: 12 }, leaves: [] })
  const faults = [planned({ kind: 'iced_gate', thickness_m: 0.4 })]
  const { values } = distortState(faults, { t: unixMs(5000), stateAt: water, wells: new StillingWells(), device: 'a 1' })
  expect(values['level_up']).toBeCloseTo(2.0332, 9)
  expect(values['level_down']).toBeCloseTo(1.5332, 9)
  expect(values).toMatchObject({ velocity: 0, flow: 12 })
})
