import { expect, test } from 'vitest'
import { type PlannedPeriod, progressOf } from './plan.ts'

const period = (n: number, planned: number | null, used: number | null): PlannedPeriod => ({ from: n * 10, to: n * 10 + 10, planned, used })

test('half way through the second of four periods, a tenth over the plan: the rest by plan, and by the pace so far', () => {
  const periods = [period(0, 100, 110), period(1, 200, 110), period(2, 300, null), period(3, 100, null)]
  const { byPace, ...rest } = progressOf(periods, 15)
  expect(rest).toEqual({ used: 220, planned: 700, plannedToNow: 200, byPlan: 720 })
  expect(byPace).toBeCloseTo(770, 9)
})

test('without a plan there is no forecast, and without readings none either', () => {
  expect(progressOf([period(0, null, 5)], 5)).toEqual({ used: 5, planned: null, plannedToNow: null, byPlan: null, byPace: null })
  expect(progressOf([period(0, 10, null)], 5)).toEqual({ used: null, planned: 10, plannedToNow: 5, byPlan: null, byPace: null })
})

test('before the first planned water there is no pace to go on by', () => {
  expect(progressOf([period(0, 0, 3), period(1, 100, null)], 5)).toMatchObject({ byPlan: 103, byPace: null })
})
