import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { intervalOf, startTrouble } from './troubles.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('troubles come at the same intervals for the same seed, on average as often as set, and end when told', () => {
  const moments = (seed: number): number[] => {
    const struck: number[] = []
    const start = Date.now()
    const end = startTrouble({ every_ms: 41_000, seed, name: 'stall', strike: () => struck.push(Date.now() - start) })
    vi.advanceTimersByTime(24 * 3_600_000)
    end()
    vi.advanceTimersByTime(24 * 3_600_000)
    return struck
  }
  const [first, again, other] = [moments(1), moments(1), moments(2)]
  expect(first).toEqual(again)
  expect(first).not.toEqual(other)
  // 2107 are expected in a day; ±46 is one standard deviation.
  expect(Math.abs(first.length - 2107)).toBeLessThan(200)
})

test('no trouble is set by 0', () => {
  let struck = 0
  startTrouble({ every_ms: 0, seed: 1, name: 'outage', strike: () => struck++ })
  vi.advanceTimersByTime(24 * 3_600_000)
  expect(struck).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
})

test('an interval is never longer than a timer can wait', () => {
  const longest = Math.max(...Array.from({ length: 1000 }, (_, n) => intervalOf({ every_ms: 2_000_000_000, seed: 1, name: 'x' }, n)))
  expect(longest).toBe(2_147_483_647)
})
