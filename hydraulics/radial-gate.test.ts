import fc from 'fast-check'
import { expect, test } from 'vitest'
import { metres } from '#contract/units.ts'
import type { Discharge } from './discharge.ts'
import { radialGateDischarge, submergedOrificeFlow } from './radial-gate.ts'
import { openBayFlow } from './sluice-gate.ts'

const radial = (at: { width?: number; opening: number; up: number; down: number; coefficient?: number }): Discharge =>
  radialGateDischarge({
    width: metres(at.width ?? 5),
    opening: metres(at.opening),
    up: metres(at.up),
    down: metres(at.down),
    trunnionHeight: metres(3),
    ...(at.coefficient !== undefined && { coefficient: at.coefficient }),
  })
const flowOf = (result: Discharge): number => {
  if (result.quality === 'bad') throw new Error(result.detail)
  return result.flow
}
const up = fc.double({ min: 0.2, max: 8, noNaN: true })
const share = fc.double({ min: 0, max: 1, noNaN: true })

test('a leaf of 5 m, 0.8 m open under 2.5 m with the pin at 3.0 m passes 27.7782 m³/s (HEC-RAS, typical exponents, C 0.7)', () => {
  const result = radial({ opening: 0.8, up: 2.5, down: 0 })
  expect(result).toMatchObject({ quality: 'good', regime: 'free', flags: [] })
  expect(flowOf(result)).toBeCloseTo(27.7782, 4)
})

test.each([
  { coefficient: 0.61, width: 70, opening: 1.2, up: 4, down: 3.2, q: 203.0 },
  { coefficient: 0.8, width: 70, opening: 1.2, up: 4, down: 3.2, q: 266.2 },
  { coefficient: 0.8, width: 15, opening: 1.5, up: 3, down: 2.6, q: 50.4 },
])('a submerged orifice with C $coefficient passes $q m³/s', ({ q, coefficient, ...at }) => {
  const [width, opening, above, below] = [at.width, at.opening, at.up, at.down].map(metres)
  if (width === undefined || opening === undefined || above === undefined || below === undefined) throw new Error('incomplete')
  expect(submergedOrificeFlow({ coefficient, width, opening, up: above, down: below })).toBeCloseTo(q, 1)
})

test('from 80 % of submergence on the leaf is a submerged orifice', () => {
  const at = { opening: 0.8, up: 2.5, down: 2.2 }
  const orifice = submergedOrificeFlow({ coefficient: 0.8, width: metres(5), opening: metres(0.8), up: metres(2.5), down: metres(2.2) })
  expect(radial(at)).toMatchObject({ regime: 'submerged', flow: orifice })
})

test('the discharge does not jump at ⅔ and 80 % of submergence, nor between gate and weir flow', () => {
  fc.assert(
    fc.property(up, fc.double({ min: 0.05, max: 0.7, noNaN: true }), share, (h, ratio, tail) => {
      const near = (a: number, b: number): void => expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-4 * Math.max(a, b))
      for (const limit of [2 / 3, 0.8]) {
        near(...pair((e) => radial({ opening: ratio * h, up: h, down: h * limit * (1 + e) })))
      }
      for (const limit of [1 / 1.25, 1]) near(...pair((e) => radial({ opening: h * limit * (1 + e), up: h, down: tail * 0.9 * h })))
    }),
  )
})
const pair = (at: (e: number) => Discharge): [number, number] => [flowOf(at(-1e-7)), flowOf(at(1e-7))]

test('raising the leaf never lowers the discharge, more tail water never raises it, and the open bay is the most', () => {
  fc.assert(
    fc.property(
      up,
      fc.double({ min: 0, max: 1.3, noNaN: true }),
      fc.double({ min: 0.4, max: 0.8, noNaN: true }),
      share,
      share,
      share,
      (h, ratio, coefficient, tail, rise, more) => {
        const at = { opening: ratio * h, up: h, down: tail * h, coefficient }
        const flow = flowOf(radial(at))
        expect(flowOf(radial({ ...at, opening: at.opening + more }))).toBeGreaterThanOrEqual(flow * (1 - 1e-9))
        expect(flowOf(radial({ ...at, down: at.down + (h - at.down) * rise }))).toBeLessThanOrEqual(flow * (1 + 1e-9))
        expect(flow).toBeLessThanOrEqual(openBayFlow({ width: metres(5), up: metres(h), down: metres(at.down) }) * (1 + 1e-9))
      },
    ),
    { numRuns: 2000 },
  )
})

test('a closed leaf passes nothing, and nonsense is bad with its name, never 0', () => {
  expect(radial({ opening: 0, up: 2, down: 1 })).toMatchObject({ regime: 'no-flow', flow: 0 })
  expect(radial({ opening: Number.NaN, up: 2, down: 1 })).toEqual({ quality: 'bad', reason: 'not_a_number', detail: 'opening is NaN' })
  expect(radial({ width: 0, opening: 1, up: 2, down: 1 })).toMatchObject({ quality: 'bad', reason: 'out_of_range' })
})

test('as the tail water rises by thousandths of the depth the discharge falls by small steps all the way', () => {
  const flows = Array.from({ length: 1000 }, (_, i) => flowOf(radial({ opening: 0.8, up: 2.5, down: 0.0025 * i })))
  const steps = flows.slice(1).map((flow, i) => (flows[i] ?? Number.NaN) - flow)
  expect(Math.min(...steps)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...steps.slice(0, 950))).toBeLessThan(0.01 * Math.max(...flows))
})
