import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  cubicMetres,
  cubicMetresPerMu,
  mu,
  muOf,
  muPerFlowDay,
  squareMetres,
  squareMetresOf,
  VOLUME_UNITS,
  type VolumeUnit,
  volumeFrom,
  volumeIn,
} from './volume-units.ts'

const units = Object.keys(VOLUME_UNITS) as VolumeUnit[]

test('17.895 亿 m³ are 178 950 万 m³ and 20 712 flow-days', () => {
  const volume = volumeFrom('yi_m3', 17.895)
  expect(volume).toBeCloseTo(1_789_500_000, 3)
  expect(volumeIn('wan_m3', volume)).toBeCloseTo(178_950, 6)
  expect(volumeIn('flow_day', volume)).toBeCloseTo(20_711.8, 1)
  expect(volumeFrom('flow_day', 1)).toBe(86_400)
})

test('a volume comes back from every unit', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e12, max: 1e12, noNaN: true }), fc.constantFrom(...units), (n, unit) => {
      expect(Math.abs(volumeFrom(unit, volumeIn(unit, cubicMetres(n))) - n)).toBeLessThanOrEqual(1e-12 * Math.abs(n) + 1e-300)
    }),
  )
})

test('a mu is 666.67 m², and 15 are a hectare', () => {
  expect(squareMetresOf(mu(1))).toBeCloseTo(666.67, 2)
  expect(muOf(squareMetres(10_000))).toBe(15)
})

test('381 mu watered by a flow-day had 226.8 m³ each', () => {
  const flowDay = volumeFrom('flow_day', 1)
  expect(muPerFlowDay(mu(381), flowDay)).toBe(381)
  expect(cubicMetresPerMu(flowDay, mu(381))).toBeCloseTo(226.77, 2)
  expect([muPerFlowDay(mu(1), cubicMetres(0)), cubicMetresPerMu(flowDay, mu(0))]).toEqual([null, null])
})
