import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cubicMetresPerSecond, metres, unixMs } from '#contract/units.ts'
import { levelFor, problemsOf, type RatedFlow, type RatingCurve, type RatingShape, ratedFlow, shiftFromGauging } from './rating-curve.ts'

const table = (...points: [level: number, flow: number][]): RatingShape => ({
  kind: 'table',
  points: points.map(([level, flow]) => ({ level: metres(level), flow: cubicMetresPerSecond(flow) })),
})
const formula: RatingShape = {
  kind: 'formula',
  coefficient: 12,
  zeroFlowLevel: metres(0.4),
  exponent: 1.6,
  lowest: metres(0.6),
  highest: metres(2.6),
}
const curve = (shape: RatingShape, rest: Partial<RatingCurve> = {}): RatingCurve => ({
  name: '2026-1',
  from: unixMs(1000),
  to: null,
  shape,
  uncertainty: 0.06,
  ...rest,
})
const read = (curves: RatingCurve[], level: number, at = 2000): RatedFlow => ratedFlow(curves, metres(level), unixMs(at))
const flowOf = (result: RatedFlow): number => {
  if (result.quality === 'bad') throw new Error(result.detail)
  return result.flow
}

const canal = table([1, 2], [1.5, 6], [2, 14])

test('between its points a table is read along a straight line, and at its points exactly', () => {
  expect([1, 1.25, 1.5, 1.75, 2].map((level) => flowOf(read([curve(canal)], level)))).toEqual([2, 4, 6, 10, 14])
  expect(read([curve(canal)], 1.25)).toMatchObject({
    regime: 'rated',
    flags: [],
    coefficientUncertainty: 0.06,
    curve: '2026-1',
    shift: 0,
  })
})

test('a tenth of its length beyond its ends a curve is read and flagged, farther it is refused', () => {
  expect(read([curve(canal)], 2.09)).toMatchObject({ quality: 'good', flags: ['out_of_method_range'] })
  expect(flowOf(read([curve(canal)], 2.09))).toBeCloseTo(14 + 16 * 0.09, 9)
  expect(flowOf(read([curve(canal)], 0.91))).toBeCloseTo(2 - 8 * 0.09, 9)
  for (const level of [0.89, 2.11]) expect(read([curve(canal)], level)).toMatchObject({ quality: 'bad', reason: 'out_of_range' })
  expect(read([curve(formula)], 2.79)).toMatchObject({ flags: ['out_of_method_range'] })
  expect(read([curve(formula)], 0.41)).toMatchObject({ flags: ['out_of_method_range'] })
  expect(read([curve(formula)], 2.81)).toMatchObject({ quality: 'bad', reason: 'out_of_range' })
})

test('a formula gives C·(h − h_e)^β, and nothing at and below the level of zero flow', () => {
  expect(flowOf(read([curve(formula)], 1.4))).toBeCloseTo(12, 9)
  expect(flowOf(read([curve(formula)], 2.4))).toBeCloseTo(12 * 2 ** 1.6, 9)
  for (const level of [0.4, -1]) expect(read([curve(formula)], level)).toMatchObject({ regime: 'no-flow', flow: 0 })
  expect(read([curve(table([0.5, 0], [1, 3]))], 0.2)).toMatchObject({ regime: 'no-flow', flow: 0 })
})

test('each time is read with the curve that was in force then, and a time without one is refused', () => {
  const spring = curve(canal, { name: 'spring', from: unixMs(1000), to: unixMs(5000) })
  const autumn = curve(table([1, 1], [2, 9]), { name: 'autumn', from: unixMs(5000) })
  const corrected = curve(table([1, 3], [2, 11]), { name: 'corrected', from: unixMs(8000) })
  const curves = [corrected, spring, autumn]
  const names = [1000, 4999, 5000, 7999, 8000].map((at) => read(curves, 1.5, at)).map((r) => (r.quality === 'good' ? r.curve : r.reason))
  expect(names).toEqual(['spring', 'spring', 'autumn', 'autumn', 'corrected'])
  expect(read(curves, 1.5, 999)).toMatchObject({ quality: 'bad', reason: 'no_value' })
})

test('a shift holds from its gauging to the next', () => {
  const shifted = curve(canal, {
    shifts: [
      { from: unixMs(6000), shift: metres(-0.1) },
      { from: unixMs(3000), shift: metres(0.25) },
    ],
  })
  expect(flowOf(read([shifted], 1.25, 2000))).toBeCloseTo(4, 9)
  expect(flowOf(read([shifted], 1.25, 3000))).toBeCloseTo(6, 9)
  expect(flowOf(read([shifted], 1.35, 6000))).toBeCloseTo(4, 9)
})

test('the shift from a gauging makes the curve give the gauged discharge', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(canal, formula),
      fc.double({ min: 1.1, max: 1.9, noNaN: true }),
      fc.double({ min: 3, max: 13, noNaN: true }),
      (shape, level, flow) => {
        const gauged = { level: metres(level), flow: cubicMetresPerSecond(flow) }
        const shift = shiftFromGauging(curve(shape), gauged)
        if (shift === null) throw new Error('no shift')
        expect(flowOf(read([curve(shape, { shifts: [{ from: unixMs(2000), shift }] })], level))).toBeCloseTo(flow, 6)
      },
    ),
  )
  expect(shiftFromGauging(curve(canal), { level: metres(1), flow: cubicMetresPerSecond(99) })).toBeNull()
  expect(levelFor(canal, cubicMetresPerSecond(1))).toBeNull()
  expect(levelFor(formula, cubicMetresPerSecond(Number.NaN))).toBeNull()
})

test('a higher level is never less discharge', () => {
  const steps = fc.array(fc.tuple(fc.double({ min: 0.01, max: 1, noNaN: true }), fc.double({ min: 0, max: 9, noNaN: true })), {
    minLength: 2,
    maxLength: 12,
  })
  fc.assert(
    fc.property(steps, fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (pieces, a, b) => {
      let [level, flow] = [0, 0]
      const points = pieces.map(([rise, more]): [number, number] => {
        level += rise
        flow += more
        return [level, flow]
      })
      const [lowest] = points[0] ?? [0]
      const at = (share: number): number => flowOf(read([curve(table(...points))], lowest + share * (level - lowest)))
      expect(at(Math.max(a, b))).toBeGreaterThanOrEqual(at(Math.min(a, b)) - 1e-9)
    }),
  )
})

test('a curve that makes no sense is named and refused, never read', () => {
  const wrong: [RatingCurve, string][] = [
    [curve(table([1, 2])), 'two points'],
    [curve(table([1, 2], [1, 3])), 'does not ascend'],
    [curve(table([1, 2], [2, 1])), 'flow falls'],
    [curve(table([1, 2], [2, Number.NaN])), 'not a level and a flow'],
    [curve({ ...formula, exponent: 4 }), 'exponent 4'],
    [curve({ ...formula, coefficient: 0 }), 'coefficient 0'],
    [curve({ ...formula, lowest: metres(0) }), 'do not ascend'],
    [curve(canal, { to: unixMs(0) }), 'ends before'],
    [curve(canal, { uncertainty: 7 }), 'uncertainty 7'],
    [curve(canal, { shifts: [{ from: unixMs(1), shift: metres(Number.NaN) }] }), 'shift'],
  ]
  for (const [c, text] of wrong) {
    expect(problemsOf(c).join('; ')).toContain(text)
    expect(ratedFlow([c], metres(1.5), c.to ? unixMs(500) : unixMs(2000)).quality).toBe('bad')
  }
  expect(problemsOf(curve(canal))).toEqual([])
  expect(read([curve(canal)], Number.NaN)).toMatchObject({ quality: 'bad', reason: 'not_a_number' })
})
