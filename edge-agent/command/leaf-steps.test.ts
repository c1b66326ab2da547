import fc from 'fast-check'
import { expect, test } from 'vitest'
import { middleFirst, planLeafSteps } from './leaf-steps.ts'

const spread = (openings: readonly number[]): number => Math.max(...openings) - Math.min(...openings)

test('the middle leaf goes first, then its neighbours, then the outer ones', () => {
  expect(middleFirst(5)).toEqual([2, 1, 3, 0, 4])
  expect(middleFirst(4)).toEqual([1, 2, 0, 3])
  expect(middleFirst(1)).toEqual([0])
})

test('level leaves that are raised together within the allowed difference start once each', () => {
  const steps = planLeafSteps([0.2, 0.2, 0.2], [0.6, 0.6, 0.6], { maxDifference: 0.5, leastMove: 0.01 })
  expect(steps).toEqual([
    { leaf: 1, to_m: 0.6 },
    { leaf: 0, to_m: 0.6 },
    { leaf: 2, to_m: 0.6 },
  ])
})

test('a long way is made in stages, so that neighbours never stand too far apart', () => {
  const steps = planLeafSteps([0, 0], [1.2, 1.2], { maxDifference: 0.5, leastMove: 0.01 })
  expect(steps?.length).toBeGreaterThan(2)
})

test('whatever the leaves, the plan ends at the targets and the difference never grows beyond what is allowed', () => {
  const opening = fc.integer({ min: 0, max: 300 }).map((cm) => cm / 100)
  const pair = fc
    .integer({ min: 1, max: 9 })
    .chain((n) =>
      fc.tuple(
        fc.array(opening, { minLength: n, maxLength: n }),
        fc.array(opening, { minLength: n, maxLength: n }),
        fc.integer({ min: 10, max: 100 }),
      ),
    )
  fc.assert(
    fc.property(pair, ([openings, targets, cm]) => {
      const maxDifference = cm / 100
      const steps = planLeafSteps(openings, targets, { maxDifference, leastMove: 0.01 })
      if (!steps) return
      const now = [...openings]
      for (const { leaf, to_m } of steps) {
        now[leaf] = to_m
        expect(spread(now)).toBeLessThanOrEqual(Math.max(maxDifference, spread(openings)) + 1e-9)
      }
      for (const [i, target] of targets.entries()) expect(Math.abs((now[i] ?? Number.NaN) - target)).toBeLessThan(0.01)
    }),
    { numRuns: 2000 },
  )
})
