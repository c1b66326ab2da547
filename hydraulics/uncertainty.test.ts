import fc from 'fast-check'
import { expect, test } from 'vitest'
import { combine, propagate } from './uncertainty.ts'

const value = fc.double({ min: -100, max: 100, noNaN: true })
const half = fc.double({ min: 0, max: 10, noNaN: true })

test('a sum has the root of the sum of squares, whatever the weights', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(value, half, value), { minLength: 1, maxLength: 6 }), (inputs) => {
      const weighted = (values: readonly number[]): number => values.reduce((sum, v, i) => sum + v * (inputs[i]?.[2] ?? 0), 0)
      const found = propagate(
        weighted,
        inputs.map(([v, plusMinus]) => ({ value: v, plusMinus })),
      )
      expect(found).toBeCloseTo(combine(...inputs.map(([, plusMinus, weight]) => plusMinus * weight)), 6)
    }),
  )
})

test('1 cm of error in a fall of 5 cm is 10 % of a discharge that goes with its root', () => {
  const relative = (propagate(([fall = 0]) => Math.sqrt(fall), [{ value: 0.05, plusMinus: 0.01 }]) ?? 0) / Math.sqrt(0.05)
  expect(relative).toBeCloseTo(0.1, 2)
})

test('where the model has a result on one side only, that side counts; where it has none, nothing is claimed', () => {
  const positive = ([x = 0]: readonly number[]): number | null => (x < 0 ? null : x)
  expect(propagate(positive, [{ value: 1, plusMinus: 2 }])).toBeCloseTo(2)
  expect(propagate(positive, [{ value: -1, plusMinus: 0.5 }])).toBeNull()
  expect(propagate(([x = 0]) => (x === 1 ? x : null), [{ value: 1, plusMinus: 0.5 }])).toBeNull()
  expect(propagate(positive, [{ value: 1, plusMinus: Number.NaN }])).toBeNull()
})
