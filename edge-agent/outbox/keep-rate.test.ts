import { expect, test } from 'vitest'
import { KeepRate } from './keep-rate.ts'

test('the rate is that of the last hour, from the first minute on', () => {
  let now = 0
  const rate = new KeepRate(() => now)
  const run = (minutes: number, bytesPerSecond: number): void => {
    for (let s = 0; s < minutes * 60; s++) {
      now += 1000
      rate.add(bytesPerSecond)
    }
  }
  run(0.5, 100)
  expect(rate.perHour()).toBeNull()
  run(1, 100)
  expect(rate.perHour()).toBeCloseTo(360_000, -4)
  run(600, 100)
  expect(rate.perHour()).toBeCloseTo(360_000, -4)
  run(600, 10)
  expect(rate.perHour()).toBeCloseTo(36_000, -3)
})
