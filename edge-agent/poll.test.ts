import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { missedBetween, nextDue, nextOnGrid, poll, wokenAt } from './poll.ts'

const everyMs = fc.integer({ min: 100, max: 60_000 })
const time = fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 })

test('each time read at is on the grid and later than the one before, though timers fire early and cycles take long', () => {
  fc.assert(
    fc.property(
      everyMs,
      time,
      fc.array(fc.tuple(fc.integer({ min: -2, max: 20 }), fc.integer({ min: 0, max: 300_000 })), { maxLength: 30 }),
      (everyMs, start, cycles) => {
        let now = start
        let due = nextOnGrid(now, everyMs)
        let last = Number.NEGATIVE_INFINITY
        const read: number[] = []
        const missed: number[] = []
        for (const [jitter, takes] of cycles) {
          now = Math.max(now, due + jitter)
          const at = wokenAt({ due, now, everyMs })
          missed.push(...missedBetween({ from: due, to: at, everyMs, tookMs: now - start }))
          expect(at % everyMs).toBe(0)
          expect(at).toBeGreaterThan(last)
          last = at
          read.push(at)
          now += takes
          due = nextDue({ due: at, now, everyMs })
          missed.push(...missedBetween({ from: at + everyMs, to: due, everyMs, tookMs: now - start }))
        }
        const first = nextOnGrid(start, everyMs)
        const all = [...read, ...missed].sort((a, b) => a - b)
        expect(all).toEqual(Array.from({ length: all.length }, (_, i) => first + i * everyMs))
      },
    ),
  )
})

test('a clock that is set ahead misses nothing, and one that is set back is followed', () => {
  const hour = 3_600_000
  expect(missedBetween({ from: 5000, to: 5000 + hour, everyMs: 5000, tookMs: 4999 })).toEqual([])
  expect(wokenAt({ due: 10 * hour, now: 9 * hour + 1, everyMs: 5000 })).toBe(9 * hour)
  expect(nextDue({ due: 10 * hour, now: 9 * hour + 1, everyMs: 5000 })).toBe(9 * hour + 5000)
})

test('a cycle that takes longer than its interval is counted, time by time', async () => {
  const ending = new AbortController()
  const read: number[] = []
  const missed: number[] = []
  await poll(
    {
      cycle: async (t) => {
        read.push(t)
        if (read.length === 2) await sleep(250)
        if (read.length === 4) ending.abort()
      },
      missed: (t) => missed.push(t),
      now: () => Date.now(),
      elapsed: () => performance.now(),
    },
    () => ({ everyMs: 100, isFast: false }),
    ending.signal,
  )
  const all = [...read, ...missed].sort((a, b) => a - b)
  expect(all).toEqual(all.map((_, i) => (all[0] ?? 0) + i * 100))
  expect(missed.length).toBeGreaterThanOrEqual(2)
})
