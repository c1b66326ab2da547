import { expect, test } from 'vitest'
import { Meter, nextStep, onTheWire, projected, type Usage, usageAt } from './meter.ts'

const HOUR = 3_600_000
/** 1 November 2026, 00:00 in Shanghai. */
const NOVEMBER = Date.UTC(2026, 9, 31, 16)

function meter(planMb?: number) {
  const clock = { t: NOVEMBER, saved: undefined as unknown }
  const make = () =>
    new Meter({
      now: () => clock.t,
      elapsed: () => clock.t,
      recall: () => clock.saved,
      remember: async (usage: Usage) => {
        clock.saved = structuredClone(usage)
      },
      planMb,
    })
  return { clock, make }
}

test('a small message costs its bytes, its packet and the acknowledgement, a large one those of each packet', () => {
  expect(onTheWire(100, { tls: false })).toBe(100 + 104)
  expect(onTheWire(100, { tls: true })).toBe(122 + 104)
  expect(onTheWire(2801, { tls: false })).toBe(2801 + 3 * 104)
  expect(onTheWire(0, { tls: true })).toBe(0)
})

test('days and months begin at midnight in Shanghai', () => {
  const before = { ...usageAt(undefined, NOVEMBER - 1), bytes_today: 5, bytes_month: 50 }
  expect(usageAt(before, NOVEMBER - 1)).toEqual(before)
  expect(usageAt(before, NOVEMBER)).toMatchObject({ bytes_today: 0, bytes_month: 0, month_from: NOVEMBER })
  const tenth = { ...usageAt(undefined, NOVEMBER), bytes_today: 5, bytes_month: 50 }
  expect(usageAt(tenth, NOVEMBER + 24 * HOUR)).toMatchObject({ bytes_today: 0, bytes_month: 50 })
})

test('the month’s end is told from the rate, and nothing is told of the first hour', () => {
  const usage = { ...usageAt(undefined, NOVEMBER), bytes_month: 1000 }
  expect(projected(usage, NOVEMBER + HOUR / 2, null)).toBeNull()
  expect(projected(usage, NOVEMBER + 10 * HOUR, null)).toBeCloseTo(1000 * 72, 6)
  expect(projected(usage, NOVEMBER + 10 * HOUR, 2)).toBeCloseTo(1000 + 2 * 710, 6)
})

test('a plan that would not last is met step by step, and left again when there is room', () => {
  const plan = (month_end: number | null, used = 0) => ({ bytes: 100, used, month_end })
  expect([nextStep(0, plan(101)), nextStep(1, plan(101)), nextStep(3, plan(101))]).toEqual([1, 2, 3])
  expect([nextStep(1, plan(80)), nextStep(1, plan(50)), nextStep(0, plan(50)), nextStep(2, plan(null))]).toEqual([1, 0, 0, 2])
  expect(nextStep(0, plan(null, 99))).toBe(3)
})

test('an agent that would spend its month’s plan in ten days slows down before it is spent', async () => {
  const { clock, make } = meter(10)
  const m = make()
  const steps = new Set<number>()
  // Each step takes about its share of the bytes away.
  const bytesPerHour = [42_000, 20_000, 9000, 5000]
  for (let hour = 0; hour < 720; hour++) {
    clock.t += HOUR
    m.add(bytesPerHour[m.step] ?? 0)
    await m.look()
    steps.add(m.step)
  }
  expect(steps.has(1)).toBe(true)
  expect(m.figures().bytes_month).toBeLessThan(10_000_000)
})

test('what was counted is there after a restart', async () => {
  const { clock, make } = meter()
  const first = make()
  first.add(1234)
  await first.save()
  clock.t += HOUR
  const second = make()
  second.add(1)
  expect(second.figures()).toMatchObject({ bytes_today: 1235, bytes_month: 1235, plan_mb: null, slow_down: 0 })
})
