import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cubicMetresPerSecond, metres, unixMs } from '#contract/units.ts'
import { calibrate, type Fit, fitFactor, type GaugedPair, type Gauging } from './calibrate.ts'
import { type Observation, type StructureHydraulics, structureFlow } from './structure-flow.ts'

const pair = (measured: number, computed: number, uncertainty?: number): GaugedPair => ({
  measured: cubicMetresPerSecond(measured),
  computed: cubicMetresPerSecond(computed),
  ...(uncertainty !== undefined && { uncertainty }),
})
const fitted = (fit: Fit): Extract<Fit, { kind: 'fitted' }> => {
  if (fit.kind === 'refused') throw new Error(fit.reason)
  return fit
}

test('three gaugings of 0.90, 0.94 and 0.98 of the computed discharge give 0.94 ± 0.0231, with their residuals', () => {
  const fit = fitted(fitFactor([pair(9, 10), pair(18.8, 20), pair(49, 50)]))
  expect(fit.n).toBe(3)
  expect(fit.calibration.factor).toBeCloseTo(0.94, 9)
  expect(fit.standardError).toBeCloseTo(0.04 / Math.sqrt(3), 9)
  expect(fit.calibration.uncertainty).toBeCloseTo((4.303 * 0.04) / Math.sqrt(3) / 0.94, 6)
  expect(fit.relativeScatter).toBeCloseTo(0.04 / 0.94, 9)
  const flows = fit.residuals.map((r) => r.flow)
  for (const [i, expected] of [-0.4, 0, 2].entries()) expect(flows[i]).toBeCloseTo(expected, 9)
})

test('the factor makes the weighted sum of squares least', () => {
  const some = fc.double({ min: 0.1, max: 300, noNaN: true })
  const pairs = fc.array(fc.tuple(some, fc.double({ min: 0.6, max: 1.4, noNaN: true }), fc.double({ min: 0.02, max: 0.2, noNaN: true })), {
    minLength: 2,
    maxLength: 30,
  })
  fc.assert(
    fc.property(pairs, fc.double({ min: -0.1, max: 0.1, noNaN: true }), (rows, off) => {
      const fit = fitted(fitFactor(rows.map(([computed, ratio, u]) => pair(computed * ratio, computed, u))))
      const squares = (factor: number): number => rows.reduce((sum, [, ratio, u]) => sum + ((ratio - factor) / u) ** 2, 0)
      const { factor } = fit.calibration
      expect(squares(factor)).toBeLessThanOrEqual(squares(factor + off) * (1 + 1e-12))
      expect(fit.residuals).toHaveLength(rows.length)
    }),
  )
})

test('a gauging that is known better counts more', () => {
  expect(fitted(fitFactor([pair(9, 10, 0.02), pair(11, 10, 0.2)])).calibration.factor).toBeCloseTo(0.902, 3)
})

test('one gauging, one of nothing and one that is not a number are refused with the reason', () => {
  expect(fitFactor([pair(9, 10)])).toEqual({ kind: 'refused', reason: '1 gaugings, at least 2 are needed' })
  for (const wrong of [pair(0, 10), pair(9, Number.NaN), pair(9, 10, 0)]) {
    expect(fitFactor([pair(9, 10), wrong])).toMatchObject({ kind: 'refused', reason: expect.stringContaining('gauging 2') })
  }
})

const gate: StructureHydraulics = { kind: 'sluice', sill: metres(0.2), leaves: [{ width: metres(4) }, { width: metres(4) }] }
const seen = (up: number, down: number, ...openings: number[]): Observation => ({
  at: unixMs(0),
  up: metres(up),
  down: metres(down),
  openings: openings.map(metres),
})

test('a structure that truly passes 0.91 of Swamee is found out, and then gives the gauged discharges', () => {
  const observed = [seen(2.2, 1.2, 0.3, 0.3), seen(2.4, 1.9, 0.5, 0.2), seen(2, 0.5, 0.6, 0.6), seen(2.1, 1.7, 0.4, 0)]
  const gaugings = observed.map((o): Gauging => {
    const plain = structureFlow(gate, o)
    if (plain.quality === 'bad') throw new Error(plain.detail)
    return { observed: o, measured: cubicMetresPerSecond(plain.flow * 0.91) }
  })
  const unfit: Gauging[] = [
    { observed: { ...seen(2, 1, 0.5), openings: [metres(0.5), null] }, measured: cubicMetresPerSecond(5) },
    { observed: seen(2, 1, 0, 0), measured: cubicMetresPerSecond(0.1) },
    { observed: seen(2, 1.98, 0.5, 0.5), measured: cubicMetresPerSecond(3) },
    { observed: seen(2, 1, 0.5, 0.5), measured: cubicMetresPerSecond(Number.NaN) },
  ]
  const already = { ...gate, calibration: { factor: 2, uncertainty: 0.5 } }
  const { fit, excluded } = calibrate(already, [...unfit, ...gaugings])
  expect(excluded.map((e) => [e.index, e.reason])).toEqual([
    [0, 'opening of leaf 2 could not be taken'],
    [1, 'the method gives no discharge (no-flow)'],
    [2, 'low_differential_head'],
    [3, 'measured NaN m³/s'],
  ])
  const { calibration } = fitted(fit)
  expect(calibration.factor).toBeCloseTo(0.91, 9)
  expect(calibration.uncertainty).toBeCloseTo(0, 9)
  for (const { observed: o, measured } of gaugings)
    expect(structureFlow({ ...gate, calibration }, o)).toMatchObject({ flow: expect.closeTo(measured, 9) })
})
