import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Structure } from '#contract/district.ts'
import { bad, good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { accept } from './accept.ts'

const gate: Structure = {
  id: 'yc-zh-03',
  name: { zh: '皂火干渠第二节制闸', en: 'Zaohuo check 2' },
  provenance: 'named_by_convention',
  area: 'yichang',
  canal: 'zaohuo',
  site: 'yc-s012',
  type: 'regulator',
  leaves: 2,
  leaf_width_m: 3.5,
  leaf_height_m: 2.1,
  design_flow_m3s: 12.6,
  chainage_km: 35.96,
  sill_m: 1031.55,
  datum_m: 1031.55,
  design_level_up_m: 1033,
  design_level_down_m: 1032.75,
  lat: 41.09,
  lon: 108.02,
}
const address = { group: 'yichang', node: 'yc-s012', device: 'yc-zh-03' }
const times = { payloadTime: unixMs(5), received: unixMs(9) }
const level = { name: 'level_up', timestamp: 1000, datatype: 'Float' as const, value: 1.25 }

test('a level of a registered gate becomes a sample with source and receive time', () => {
  expect(accept(gate, { address, metrics: [level], unread: [], ...times })).toEqual({
    samples: [{ gate: 'yc-zh-03', metric: 'level_up', t: 1000, received: 9, reading: good(1.25) }],
    refusals: [],
  })
})

test('a site can’t speak for another site’s gate, nor from another area, nor for a gate that nobody registered', () => {
  const reasons = [
    accept(gate, { address: { ...address, node: 'yc-s001' }, metrics: [level], unread: [], ...times }),
    accept(gate, { address: { ...address, group: 'yongji' }, metrics: [level], unread: [], ...times }),
    accept(undefined, { address, metrics: [level], unread: [], ...times }),
  ].map((a) => [a.samples.length, a.refusals[0]?.reason])
  expect(reasons).toEqual([
    [0, 'gate yc-zh-03 belongs to site yc-s012, not to yc-s001'],
    [0, 'gate yc-zh-03 is in area yichang, not in yongji'],
    [0, 'gate yc-zh-03 is not registered'],
  ])
})

test('a value that can’t be is kept as BAD, an unknown metric or a text is refused by name, protocol metrics are neither', () => {
  const { samples, refusals } = accept(gate, {
    address,
    metrics: [
      { ...level, value: 99 },
      { name: 'flow', timestamp: 1000, value: null },
      { name: 'turbidity', timestamp: 1000, value: 3 },
      { name: 'velocity', timestamp: 1000, value: 'fast' },
      { name: 'battery', timestamp: 1e18, value: 12 },
      { name: 'Outbox/Batch', value: 5n },
      { name: 'Node Control/Rebirth', value: false },
    ],
    unread: ['mode'],
    ...times,
  })
  expect(samples.map((s) => [s.metric, s.reading])).toEqual([
    ['level_up', bad('out_of_range')],
    ['flow', bad('no_value')],
  ])
  expect(refusals.map((r) => r.metric)).toEqual(['mode', 'turbidity', 'velocity', 'battery'])
})

test('each metric ends as a sample or as a refusal, never as neither and never as both', () => {
  const metric = fc.record({
    name: fc.constantFrom('level_up', 'opening_2', 'flow', 'unheard-of'),
    timestamp: fc.oneof(fc.integer({ min: -5, max: 2_000_000_000_000 }), fc.constant(Number.MAX_SAFE_INTEGER)),
    value: fc.oneof(fc.double(), fc.constant(null), fc.string(), fc.boolean(), fc.bigInt()),
  })
  fc.assert(
    fc.property(fc.array(metric), (metrics) => {
      const { samples, refusals } = accept(gate, { address, metrics, unread: [], ...times })
      expect(samples.length + refusals.length).toBe(metrics.length)
      for (const s of samples) if (s.reading.quality !== 'bad') expect(Number.isFinite(s.reading.value)).toBe(true)
    }),
  )
})
