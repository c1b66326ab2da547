import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { DeviceProfile } from '#contract/profile.ts'
import { profileOf } from '#test/support/profile.ts'
import { loadProfiles } from '../load-profiles.ts'
import { planReads } from './plan-reads.ts'
import { pointsOf } from './points.ts'

const profiles = await loadProfiles(join(import.meta.dirname, '..', 'profiles'))
const rtu = profiles.get('sluice-gate-rtu')
if (!rtu) throw new Error('the default profile is missing')

const level = { metric: 'level_up', space: 'holding', address: 0, type: 'float32', order: 'ABCD', scale: 1, offset: 0 } as const
const profile = (points: object[], more: object = {}): DeviceProfile => profileOf({ points, ...more })

test('a structure of three leaves has an opening for each, where the profile says', () => {
  const points = pointsOf(rtu, { leaves: 3 })
  expect(points.filter((p) => p.metric.startsWith('opening')).map((p) => [p.metric, p.address])).toEqual([
    ['opening', 100],
    ['opening_2', 120],
    ['opening_3', 140],
  ])
  expect(new Set(points.map((p) => p.metric)).size).toBe(points.length)
  expect(
    planReads(points, { maxWords: rtu.max_words, maxGap: rtu.max_gap, borders: rtu.borders }).map((r) => [r.address, r.words]),
  ).toEqual([
    [0, 12],
    [100, 1],
    [120, 1],
    [140, 1],
  ])
})

test('a profile that can not be read is refused in words', () => {
  expect(() => pointsOf(profile([{ ...level, metric: 'salinity' }]), { leaves: 1 })).toThrow('salinity is not in the metric catalogue')
  expect(() => pointsOf(profile([level, { ...level, address: 2 }]), { leaves: 1 })).toThrow('level_up stands twice')
  expect(() => pointsOf(profile([{ ...level, address: 65_535 }]), { leaves: 1 })).toThrow('beyond 65535')
  expect(() => pointsOf(profile([level], { max_words: 1 }), { leaves: 1 })).toThrow('longer than the longest read')
  expect(() => pointsOf(profile([{ ...level, space: 'coil' }]), { leaves: 1 })).toThrow('a coil holds a bit')
})

test('what a site says differently of a profile is said of a point that it has', () => {
  const [point] = pointsOf(profile([level]), {
    leaves: 1,
    points: { level_up: { as: 'level_down', scale: 0.3048, order: 'CDAB', address: 8 } },
  })
  expect(point).toMatchObject({ metric: 'level_down', scale: 0.3048, order: 'CDAB', address: 8 })
  expect(() => pointsOf(profile([level]), { leaves: 1, omit: ['flow'] })).toThrow('it has no flow')
})
