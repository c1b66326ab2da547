import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HETAO_CALENDAR, PERIOD_STEPS, periodAt, periodsIn } from './periods.ts'

const at = (text: string): number => Date.parse(text)
const shown = (step: (typeof PERIOD_STEPS)[number], t: string): string[] => {
  const { from, to, key } = periodAt(step, at(t), HETAO_CALENDAR)
  const local = (ms: number): string => new Date(ms + 8 * 3_600_000).toISOString().slice(0, 16)
  return [key, local(from), local(to)]
}

test('the water day runs from 08:00 to 08:00 Beijing time and is named by the day on which it begins', () => {
  expect(shown('day', '2026-07-01T07:59:59+08:00')).toEqual(['2026-06-30', '2026-06-30T08:00', '2026-07-01T08:00'])
  expect(shown('day', '2026-07-01T08:00:00+08:00')).toEqual(['2026-07-01', '2026-07-01T08:00', '2026-07-02T08:00'])
  expect(shown('hour', '2026-07-01T08:59:59+08:00')).toEqual(['2026-07-01T08:00', '2026-07-01T08:00', '2026-07-01T09:00'])
})

test('ten-day periods are 1–10, 11–20 and 21 to the end of the month, February of a leap year included', () => {
  expect(shown('tenday', '2028-02-29T12:00:00+08:00')).toEqual(['2028-02-D3', '2028-02-21T08:00', '2028-03-01T08:00'])
  expect(shown('tenday', '2026-07-11T07:00:00+08:00')).toEqual(['2026-07-D1', '2026-07-01T08:00', '2026-07-11T08:00'])
  expect(shown('tenday', '2026-07-11T09:00:00+08:00')).toEqual(['2026-07-D2', '2026-07-11T08:00', '2026-07-21T08:00'])
})

test('the water year begins on 1 July, and winter belongs to the season in which the year ends', () => {
  expect(shown('year', '2026-07-01T07:00:00+08:00')).toEqual(['2025', '2025-07-01T08:00', '2026-07-01T08:00'])
  expect(shown('year', '2026-07-01T08:00:00+08:00')).toEqual(['2026', '2026-07-01T08:00', '2027-07-01T08:00'])
  expect(shown('season', '2026-01-15T12:00:00+08:00')).toEqual(['2025-idle', '2025-11-21T08:00', '2026-04-01T08:00'])
  expect(shown('season', '2026-10-15T12:00:00+08:00')).toEqual(['2026-leaching', '2026-09-15T08:00', '2026-11-21T08:00'])
})

test('a day that begins at midnight, or another zone, is a setting', () => {
  const { from, key } = periodAt('day', at('2026-07-01T03:00:00+08:00'), { ...HETAO_CALENDAR, day_start_min: 0 })
  expect([from, key]).toEqual([at('2026-07-01T00:00:00+08:00'), '2026-07-01'])
})

test('periods adjoin, hold their time, and cover the span asked for', () => {
  const calendar = fc.record({
    utc_offset_min: fc.integer({ min: -720, max: 840 }),
    day_start_min: fc.integer({ min: 0, max: 1439 }),
    year_start: fc.constantFrom('01-01', '07-01', '12-31'),
    seasons: fc.constantFrom<Record<string, string>>({ only: '03-01' }, HETAO_CALENDAR.seasons),
  })
  const time = fc.integer({ min: 0, max: 4_000_000_000_000 })
  fc.assert(
    fc.property(fc.constantFrom(...PERIOD_STEPS), time, fc.integer({ min: 1, max: 40 * 86_400_000 }), calendar, (step, from, length, c) => {
      const periods = periodsIn(step, { from, to: from + length }, c)
      expect(periods[0]?.from).toBeLessThanOrEqual(from)
      expect(periods.at(-1)?.to).toBeGreaterThanOrEqual(from + length)
      for (const [i, p] of periods.entries()) {
        expect(p.from).toBeLessThan(p.to)
        if (i > 0) expect(p.from).toBe(periods[i - 1]?.to)
      }
      expect(new Set(periods.map((p) => p.key)).size).toBe(periods.length)
    }),
  )
})
