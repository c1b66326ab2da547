import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bad, good, type Reading } from '#contract/reading.ts'
import { Exceptions } from './exception.ts'
import type { Rule } from './rule.ts'

const rule = (own: Partial<Rule> = {}): Rule => ({
  deadband: 0.005,
  deadband_percent: undefined,
  silence_ms: 60_000,
  median_reads: 1,
  ...own,
})
const T = 1_790_000_080_000
type Step = { readonly at: number; readonly reading: Reading }

/** @returns the readings that are reported, as [ms after T, value or reason]. */
function reported(steps: readonly Step[], own: Partial<Rule> = {}, metric = 'level_up'): [number, number | string][] {
  const exceptions = new Exceptions(() => rule(own))
  return steps.flatMap(({ at, reading }) => {
    const news = exceptions.sift('s', T + at, new Map([[metric, reading]]))
    news.kept()
    return [...news.readings.values()].map((r): [number, number | string] => [at, r.quality === 'bad' ? r.reason : r.value])
  })
}
const every5s = (values: readonly (number | Reading)[]): Step[] =>
  values.map((v, i) => ({ at: i * 5000, reading: typeof v === 'number' ? good(v) : v }))

test('a level that stays within its deadband is told once a minute, on the minute', () => {
  const steps = every5s(Array.from({ length: 30 }, (_, i) => 1.2 + (i % 2) * 0.004))
  expect(reported(steps).map(([at]) => at)).toEqual([0, 20_000, 80_000, 140_000])
})

test('a step as large as the deadband is told when it is read, small ones when they add up', () => {
  expect(reported(every5s([1.2, 1.203, 1.206, 1.207, 1.1]).slice(0, 4))).toEqual([
    [0, 1.2],
    [10_000, 1.206],
  ])
  expect(reported(every5s([100, 101, 102, 104]), { deadband_percent: 2 })).toEqual([
    [0, 100],
    [10_000, 102],
  ])
  expect(reported(every5s([0, 1, 1, 0]), { deadband: 0 })).toEqual([
    [0, 0],
    [5000, 1],
    [15_000, 0],
  ])
})

test('a change of quality is always told: failure, another failure, recovery with the same value', () => {
  const steps = every5s([1.2, bad('timeout'), bad('timeout'), bad('not_connected'), 1.2])
  expect(reported(steps)).toEqual([
    [0, 1.2],
    [5000, 'timeout'],
    [15_000, 'not_connected'],
    [20_000, 1.2],
  ])
})

test('with a silence of 0 every reading is kept', () => {
  expect(reported(every5s([1, 1, 1]), { silence_ms: 0 })).toHaveLength(3)
})

test('a wave that one reading catches is not told, a level that has risen is', () => {
  expect(reported(every5s([1, 1, 1.4, 1, 0.7, 1]), { median_reads: 5 })).toEqual([
    [0, 1],
    [20_000, 1],
  ])
  expect(reported(every5s([1, 1, 1, 1.4, 1.4]), { median_reads: 3 }).at(-1)?.[1]).toBe(1.4)
  expect(reported(every5s([1, 1, bad('timeout'), 3]), { median_reads: 9 }).map(([, v]) => v)).toEqual([1, 'timeout', 3])
})

test('what the disk did not take is told with the next reading', () => {
  const exceptions = new Exceptions(() => rule())
  const level = new Map([['level_up', good(2)]])
  expect(exceptions.sift('s', T, level).readings.size).toBe(1)
  exceptions.sift('s', T + 5000, level).kept()
  expect(exceptions.sift('s', T + 10_000, level).readings.size).toBe(0)
})

test('a switch and a failure do not wait for company, a level does', () => {
  const exceptions = new Exceptions((m) => rule(m === 'door' ? { deadband: 0 } : {}))
  const sift = (at: number, level: Reading, door: number) => {
    const news = exceptions.sift(
      's',
      T + at,
      new Map([
        ['level_up', level],
        ['door', good(door)],
      ]),
    )
    news.kept()
    return news
  }
  sift(0, good(1), 0)
  expect(sift(5000, good(1.1), 0)).toMatchObject({ urgent: false })
  expect(sift(10_000, good(1.1), 1)).toMatchObject({ urgent: true })
  expect(sift(15_000, bad('timeout'), 1)).toMatchObject({ urgent: true })
})

test('whatever is read, what was told last is within the deadband of it and no older than the silence', () => {
  const values = fc.array(fc.double({ min: 0, max: 0.1, noNaN: true }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 20 }), (all, silences) => {
      const silence_ms = silences * 5000
      const told = reported(every5s(all), { silence_ms })
      for (const [i, value] of all.entries()) {
        const [at, held] = told.findLast(([t]) => t <= i * 5000) ?? [Number.NaN, Number.NaN]
        expect(Math.abs(Number(held) - value)).toBeLessThan(0.005)
        expect(i * 5000 - at).toBeLessThan(silence_ms)
      }
    }),
  )
})
