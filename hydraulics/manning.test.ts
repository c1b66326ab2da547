import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cubicMetresPerSecond, metres } from '#contract/units.ts'
import { type Channel, manningDischarge, normalDepth } from './manning.ts'

const FOOT_M = 0.3048
const channel = (bedWidth: number, sideSlope: number, slope: number, roughness: number): Channel => ({
  bedWidth: metres(bedWidth),
  sideSlope,
  slope,
  roughness,
})

test('12 m³/s in a rectangle of 4 m, n 0.014, slope 0.001 stand 1.48 m deep (published; computed 1.4796)', () => {
  expect(normalDepth(channel(4, 0, 0.001, 0.014), cubicMetresPerSecond(12))).toBeCloseTo(1.4796, 4)
})

test.each([
  { slope: 0.0002, computed: 9.152, published: 9.13 },
  { slope: 0.0003, computed: 8.234, published: 8.18 },
])('1500 ft³/s in a trapezoid of 20 ft at slope $slope stand $computed ft deep (published $published, within 1 %)', (vector) => {
  const depth = normalDepth(channel(20 * FOOT_M, 1.5, vector.slope, 0.014), cubicMetresPerSecond(1500 * FOOT_M ** 3)) ?? Number.NaN
  expect(Math.abs(depth / FOOT_M / vector.computed - 1)).toBeLessThan(0.002)
  expect(Math.abs(depth / FOOT_M / vector.published - 1)).toBeLessThan(0.01)
})

test('the depth found for a discharge passes it, and more depth is more discharge', () => {
  const section = fc.tuple(
    fc.double({ min: 0.3, max: 80, noNaN: true }),
    fc.double({ min: 0, max: 3, noNaN: true }),
    fc.double({ min: 1e-5, max: 0.01, noNaN: true }),
    fc.double({ min: 0.01, max: 0.05, noNaN: true }),
  )
  fc.assert(
    fc.property(section, fc.double({ min: 0.05, max: 10, noNaN: true }), (s, depth) => {
      const result = manningDischarge(channel(...s), metres(depth))
      if (result.quality === 'bad') throw new Error(result.detail)
      expect(result.regime).toBe('uniform')
      expect(normalDepth(channel(...s), result.flow)).toBeCloseTo(depth, 6)
      const deeper = manningDischarge(channel(...s), metres(depth * 1.01))
      expect(deeper.quality === 'good' && deeper.flow > result.flow).toBe(true)
    }),
  )
})

test('a dry bed passes nothing; a flat bed, no roughness and no number are bad and never 0', () => {
  const good = channel(4, 0, 0.001, 0.014)
  expect(manningDischarge(good, metres(0))).toMatchObject({ regime: 'no-flow', flow: 0 })
  expect(manningDischarge({ ...good, slope: 0 }, metres(1))).toMatchObject({ quality: 'bad', reason: 'out_of_range' })
  expect(manningDischarge({ ...good, roughness: 0 }, metres(1))).toMatchObject({ quality: 'bad', reason: 'out_of_range' })
  expect(manningDischarge({ ...good, sideSlope: -1 }, metres(1))).toMatchObject({ quality: 'bad', reason: 'out_of_range' })
  expect(manningDischarge(good, metres(Number.NaN))).toMatchObject({ quality: 'bad', reason: 'not_a_number' })
  expect(normalDepth(good, cubicMetresPerSecond(Number.NaN))).toBeNull()
  expect(normalDepth({ ...good, slope: -1 }, cubicMetresPerSecond(1))).toBeNull()
})
