import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cubicMetresPerSecond, metres } from '#contract/units.ts'
import {
  energyMomentumFlow,
  energyMomentumLimit,
  type GateFlow,
  gateFlow,
  openBayFlow,
  openingFor,
  sluiceGateDischarge,
  submergenceLimit,
} from './sluice-gate.ts'

const leaf = (width: number, opening: number, up: number, down: number): GateFlow =>
  gateFlow({ width: metres(width), opening: metres(opening), up: metres(up), down: metres(down) })
const flowOf = (result: GateFlow): number => {
  if (result.regime === 'bad') throw new Error('bad')
  return result.flow
}

const depth = fc.double({ min: 0.05, max: 12, noNaN: true })
const width = fc.double({ min: 0.5, max: 20, noNaN: true })
/** Up, down below it, and the width of a leaf. */
const water = fc
  .tuple(width, depth, fc.double({ min: -0.2, max: 0.999, noNaN: true }))
  .map(([b, up, ratio]) => ({ width: b, up, down: up * ratio }))

test.each([
  { what: 'free', b: 4, a: 0.5, up: 2, down: 0, regime: 'free', cd: 0.534963, q: 6.702212 },
  { what: 'submerged', b: 4, a: 0.5, up: 2, down: 1.5, regime: 'submerged', cd: 0.382999, q: 4.798358 },
  { what: 'nearly drowned', b: 4, a: 0.5, up: 2, down: 1.9, regime: 'submerged', cd: 0.147477, q: 1.847645 },
])('a leaf of 4 m that is $what passes $q m³/s after Swamee', ({ b, a, up, down, regime, cd, q }) => {
  const result = leaf(b, a, up, down)
  expect(result.regime).toBe(regime)
  if (result.regime !== 'free' && result.regime !== 'submerged') throw new Error(result.regime)
  expect(result.cd).toBeCloseTo(cd, 6)
  expect(result.flow).toBeCloseTo(q, 5)
})

test('seven bays of 10 m, 1.2 m open under 4.0 m with 3.2 m below, pass 272.60 m³/s', () => {
  expect(7 * flowOf(leaf(10, 1.2, 4, 3.2))).toBeCloseTo(272.6, 1)
})

test('a wide leaf, half open and drowned, passes 75.10 m³/s', () => {
  expect(flowOf(leaf(15, 1.5, 3, 2.6))).toBeCloseTo(75.1, 1)
})

test('a leaf 0.5 m open under 2.0 m is free up to 1.2654 m of tail water', () => {
  const limit = submergenceLimit({ opening: metres(0.5), up: metres(2) })
  expect(limit).toBeCloseTo(1.2654, 4)
  expect([leaf(4, 0.5, 2, limit - 0.001).regime, leaf(4, 0.5, 2, limit + 0.001).regime]).toEqual(['free', 'submerged'])
})

test('where free flow turns into submerged flow the discharge does not jump', () => {
  fc.assert(
    fc.property(depth, fc.double({ min: 0.05, max: 0.4, noNaN: true }), (up, ratio) => {
      const opening = up * ratio
      const limit = submergenceLimit({ opening: metres(opening), up: metres(up) })
      const [below, above] = [flowOf(leaf(1, opening, up, limit * 0.99999)), flowOf(leaf(1, opening, up, limit * 1.00001))]
      expect(Math.abs(above - below) / below).toBeLessThan(0.01)
    }),
  )
})

test('raising a leaf never lowers its discharge', () => {
  fc.assert(
    fc.property(water, fc.double({ min: 0, max: 1.5, noNaN: true }), fc.double({ min: 0, max: 0.2, noNaN: true }), (w, ratio, more) => {
      const lower = flowOf(leaf(w.width, ratio * w.up, w.up, w.down))
      const higher = flowOf(leaf(w.width, (ratio + more) * w.up, w.up, w.down))
      expect(higher).toBeGreaterThanOrEqual(lower * (1 - 1e-9))
    }),
    { numRuns: 2000 },
  )
})

test('within orifice flow more opening is more discharge', () => {
  fc.assert(
    fc.property(water, fc.double({ min: 0.01, max: 0.6, noNaN: true }), (w, ratio) => {
      const [one, two] = [leaf(w.width, ratio * w.up, w.up, w.down), leaf(w.width, ratio * 1.05 * w.up, w.up, w.down)]
      fc.pre(two.regime === 'free' || two.regime === 'submerged')
      expect(flowOf(two)).toBeGreaterThan(flowOf(one))
    }),
  )
})

test('more tail water never means more discharge', () => {
  fc.assert(
    fc.property(water, fc.double({ min: 0, max: 1.2, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (w, ratio, rise) => {
      const higherTail = w.down + (w.up - w.down) * rise
      const before = flowOf(leaf(w.width, ratio * w.up, w.up, w.down))
      expect(flowOf(leaf(w.width, ratio * w.up, w.up, higherTail))).toBeLessThanOrEqual(before * 1.01)
    }),
  )
})

test('a leaf never passes more than the open bay, and one clear of the water passes just that', () => {
  fc.assert(
    fc.property(water, fc.double({ min: 0, max: 3, noNaN: true }), (w, ratio) => {
      const open = openBayFlow({ width: metres(w.width), up: metres(w.up), down: metres(w.down) })
      const result = leaf(w.width, ratio * w.up, w.up, w.down)
      expect(flowOf(result)).toBeLessThanOrEqual(open)
      if (ratio >= 1) expect(result).toEqual({ regime: 'weir', flow: open })
    }),
  )
})

test('whatever finite depths are measured, the discharge is a number and not negative', () => {
  const any = fc.double({ min: -50, max: 50, noNaN: true })
  fc.assert(
    fc.property(any, any, any, (opening, up, down) => {
      const flow = flowOf(leaf(5, opening, up, down))
      expect(Number.isFinite(flow) && flow >= 0).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('a closed leaf, a dry sill and a level pool pass nothing', () => {
  for (const [a, up, down] of [
    [0, 2, 1],
    [-0.01, 2, 1],
    [0.5, 0, -1],
    [0.5, 2, 2],
    [0.5, 2, 2.3],
    [3, 2, 2],
  ] as const) {
    expect(leaf(4, a, up, down)).toEqual({ regime: 'no-flow', flow: 0 })
  }
})

test('what is not a number is bad and never 0', () => {
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const bad = { regime: 'bad', reason: 'not_a_number' }
    expect(leaf(wrong, 0.5, 2, 1)).toEqual(bad)
    expect(leaf(4, wrong, 2, 1)).toEqual(bad)
    expect(leaf(4, 0.5, wrong, 1)).toEqual(bad)
    expect(leaf(4, 0.5, 2, wrong)).toEqual(bad)
  }
  expect(leaf(0, 0.5, 2, 1).regime).toBe('bad')
})

test('the opening found for a discharge passes it', () => {
  fc.assert(
    fc.property(water, fc.double({ min: 0.05, max: 0.9, noNaN: true }), (w, share) => {
      const at = { width: metres(w.width), up: metres(w.up), down: metres(w.down) }
      const wanted = openBayFlow(at) * share
      const opening = openingFor(cubicMetresPerSecond(wanted), { ...at, highest: metres(w.up) })
      expect(flowOf(leaf(w.width, opening, w.up, w.down))).toBeCloseTo(wanted, 5)
    }),
  )
  const at = { width: metres(2), up: metres(2), down: metres(1) }
  expect(openingFor(cubicMetresPerSecond(1000), { ...at, highest: metres(1.5) })).toBe(1.5)
})

const byEnergy = (b: number, a: number, up: number, down: number): GateFlow =>
  energyMomentumFlow({ width: metres(b), opening: metres(a), up: metres(up), down: metres(down) })

// hydReng's manual example (Bollrich, Technische Hydromechanik 1, 5th ed., eq. 8.23 to 8.25), then further inputs computed with the same formulas.
test.each([
  { what: 'free, the manual of hydReng', b: 2, a: 0.5, up: 1, down: 0, regime: 'free', cd: 0.55964, q: 2.47891 },
  { what: 'submerged, the manual of hydReng', b: 2, a: 0.5, up: 1, down: 0.8, regime: 'submerged', cd: 0.55964 * 0.79554, q: 1.97207 },
  { what: 'free', b: 4, a: 0.5, up: 2, down: 0, regime: 'free', cd: 0.57465, q: 7.19941 },
  { what: 'submerged', b: 4, a: 0.5, up: 2, down: 1.5, regime: 'submerged', cd: 0.57465 * 0.671951, q: 4.837652 },
  { what: 'nearly drowned', b: 4, a: 0.5, up: 2, down: 1.9, regime: 'submerged', cd: 0.162129, q: 2.031193 },
])('a leaf that is $what passes $q m³/s by energy and momentum', ({ b, a, up, down, regime, cd, q }) => {
  const result = byEnergy(b, a, up, down)
  expect(result.regime).toBe(regime)
  if (result.regime !== 'free' && result.regime !== 'submerged') throw new Error(result.regime)
  expect(result.cd).toBeCloseTo(cd, 4)
  expect(result.flow).toBeCloseTo(q, 4)
})

test('Çengel and Cimbala, example 13-8 (5.41 m³/s from a chart): energy and momentum 3.4 % above, Swamee 6.8 % below, both within ±10 %', () => {
  const published = 5.41
  const [energy, swamee] = [flowOf(byEnergy(6, 0.25, 3, 1.5)), flowOf(leaf(6, 0.25, 3, 1.5))]
  expect(energy).toBeCloseTo(5.594, 3)
  expect(swamee).toBeCloseTo(5.043, 3)
  for (const q of [energy, swamee]) expect(Math.abs(q / published - 1)).toBeLessThan(0.1)
})

test('seven bays and the wide leaf by energy and momentum: 264.14 and 57.75 m³/s, the latter a quarter below Swamee', () => {
  expect(7 * flowOf(byEnergy(10, 1.2, 4, 3.2))).toBeCloseTo(264.14, 2)
  expect(flowOf(byEnergy(15, 1.5, 3, 2.6))).toBeCloseTo(57.75, 2)
})

test('by energy and momentum a leaf 0.5 m open under 2.0 m is free up to 1.287 m (published 1.288, within 1 mm)', () => {
  const limit = energyMomentumLimit({ opening: metres(0.5), up: metres(2) })
  expect(Math.abs(limit - 1.288)).toBeLessThan(0.001)
  expect([byEnergy(4, 0.5, 2, limit - 0.001).regime, byEnergy(4, 0.5, 2, limit + 0.001).regime]).toEqual(['free', 'submerged'])
})

test('energy and momentum jump at the change of regime (by 8 % for 1 m under 3 m, at 2.124 m), and the result says when it is near', () => {
  const at = (down: number) =>
    sluiceGateDischarge({ width: metres(1), opening: metres(1), up: metres(3), down: metres(down) }, 'energy-momentum')
  expect(flowOf(byEnergy(1, 1, 3, 2.124)) / flowOf(byEnergy(1, 1, 3, 2.1236))).toBeCloseTo(0.916, 3)
  expect(at(2.1)).toMatchObject({ flags: ['near_regime_change'] })
  expect(at(1.9)).toMatchObject({ flags: [] })
  expect(at(2.4)).toMatchObject({ flags: [] })
})

test('by energy and momentum more tail water is never more discharge, and a leaf never passes more than the open bay', () => {
  fc.assert(
    fc.property(water, fc.double({ min: 0.01, max: 1.5, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (w, ratio, rise) => {
      const before = flowOf(byEnergy(w.width, ratio * w.up, w.up, w.down))
      const after = flowOf(byEnergy(w.width, ratio * w.up, w.up, w.down + (w.up - w.down) * rise))
      expect(after).toBeLessThanOrEqual(before * (1 + 1e-9))
      expect(before).toBeLessThanOrEqual(openBayFlow({ width: metres(w.width), up: metres(w.up), down: metres(w.down) }))
    }),
    { numRuns: 2000 },
  )
})

test('a leaf more than 0.65 of the depth open is outside orifice flow and says so, and where the methods differ the uncertainty is 30 %', () => {
  const at = (opening: number, down: number) =>
    sluiceGateDischarge({ width: metres(2), opening: metres(opening), up: metres(2), down: metres(down) }, 'swamee')
  expect(at(1.2, 0.5)).toMatchObject({ flags: [], coefficientUncertainty: 0.15 })
  expect(at(1.4, 0.5)).toMatchObject({ flags: ['out_of_method_range'] })
  expect(at(2.1, 0.5)).toMatchObject({ flags: [], regime: 'weir' })
  expect(at(0.6, 1.8)).toMatchObject({ coefficientUncertainty: 0.15 })
  expect(at(1.1, 1.9)).toMatchObject({ coefficientUncertainty: 0.3 })
})
