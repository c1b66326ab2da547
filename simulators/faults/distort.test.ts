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
const shown = (...orders: object[]): RtuState => distortState(stateAt(5000), orders.map(planned), stateAt)

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
