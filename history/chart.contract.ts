import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bad, drawable, good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { query, sampleAt, T0 } from './history.contract.ts'
import { bucketMsFor, type History, type Sample } from './port.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Not on an hour. */
const FROM = T0 + 17 * 60_000
/** 40 days: three by 20 s, the rest by 15 min, some BAD, one spike. */
const series = (gate: string): Sample[] => {
  const times = [...range(0, 3 * DAY, 20_000), ...range(3 * DAY, 40 * DAY, 15 * 60_000)]
  return times.map((ms, i) => sampleAt(ms, i % 97 === 3 ? bad('timeout') : good(i === 5000 ? 999 : Math.sin(i / 500)), { gate }))
}
function* range(from: number, to: number, step: number): Generator<number> {
  for (let ms = from; ms < to; ms += step) yield ms
}

function truth(
  samples: readonly Sample[],
  bucketMs: number,
  span: { from: number; to: number },
): Map<number, { min: number; max: number; mean: number; bad: number }> {
  const buckets = new Map<number, Sample[]>()
  for (const s of samples)
    if (s.t >= span.from && s.t < span.to) buckets.set(s.t - (s.t % bucketMs), [...(buckets.get(s.t - (s.t % bucketMs)) ?? []), s])
  return new Map(
    [...buckets].map(([t, held]) => {
      const values = held.flatMap((s) => drawable(s.reading) ?? [])
      return [
        t,
        {
          min: Math.min(...values),
          max: Math.max(...values),
          mean: values.reduce((a, b) => a + b, 0) / values.length,
          bad: held.length - values.length,
        },
      ]
    }),
  )
}

/** A chart is the same from roll-ups as from the samples. Each store's test file calls this with the real thing, empty. */
export function chartContract(name: string, open: () => Promise<History>): void {
  describe(name, () => {
    let history: History
    beforeAll(async () => {
      history = await open()
    })
    afterAll(() => history.close())

    test('a chart of weeks has the extremes, means and BADs of its samples at any width, before and after they are rolled up, and after late ones', async () => {
      const samples = series('weeks')
      expect(await history.write(samples, { rewrite: true })).toEqual({ kind: 'kept' })
      const check = async (now: readonly Sample[]): Promise<void> => {
        for (const [days, points] of [
          [40, 100],
          [40, 1000],
          [40, 20],
          [12, 1000],
          [2.5, 300],
        ] as const) {
          const span = { from: unixMs(FROM), to: unixMs(FROM + days * DAY) }
          const { bucketMs, t, series: columns } = await history.range(query('weeks', { ...span, points }))
          expect(bucketMs).toBe(bucketMsFor({ ...span, points }, Number.POSITIVE_INFINITY))
          const expected = truth(now, bucketMs, span)
          expect(t).toEqual([...expected.keys()].toSorted((a, b) => a - b))
          for (const [i, from] of t.entries()) {
            const want = expected.get(from)
            const got = columns['level_up']
            expect([got?.min[i], got?.max[i], got?.bad[i]]).toEqual([want?.min, want?.max, want?.bad])
            expect(got?.mean[i]).toBeCloseTo(want?.mean ?? Number.NaN, 9)
          }
        }
      }
      await check(samples)
      await history.rollUp(Number.POSITIVE_INFINITY)
      await check(samples)
      const late = [sampleAt(DAY + 7000, good(1234), { gate: 'weeks' }), sampleAt(30 * DAY + 7000, good(-55), { gate: 'weeks' })]
      expect(await history.write(late, { rewrite: true })).toEqual({ kind: 'kept' })
      await check([...samples, ...late])
      await history.rollUp(Number.POSITIVE_INFINITY)
      await check([...samples, ...late])
    }, 120_000)

    test('samples older than they are kept go, later ones of their time are refused, and what they told is still in charts and volumes', async () => {
      const gate = 'expired'
      const level = (ms: number): Sample => sampleAt(ms, good(2), { gate })
      const start = DAY - (T0 % DAY)
      expect(await history.write([...range(start, start + 3 * DAY, 20_000)].map(level), { rewrite: false })).toEqual({ kind: 'kept' })
      const edges = [0, 1, 2, 3].map((d) => unixMs(T0 + start + d * DAY))
      const before = (await history.aggregate({ gates: [gate], metric: 'level_up', edges })).get(gate)
      const cut = T0 + start + 2 * DAY
      await history.expire({ samples: cut, minutes: T0 + start + DAY, hours: 0 })
      expect((await history.aggregate({ gates: [gate], metric: 'level_up', edges })).get(gate)).toEqual(before)
      const whole = query(gate, { from: unixMs(T0 + start), to: unixMs(T0 + start + 3 * DAY), points: 5000 })
      const left: Sample[] = []
      for await (const sample of history.samples(whole)) left.push(sample)
      expect(Math.min(...left.map((s) => s.t))).toBe(cut)
      const { bucketMs, t } = await history.range(whole)
      expect(bucketMs).toBe(60_000)
      const on = (day: number): number => t.filter((at) => at >= T0 + start + day * DAY && at < T0 + start + (day + 1) * DAY).length
      expect([on(0), on(1), on(2)]).toEqual([24, 1440, 1440])
      expect(await history.write([level(start + 7), level(start + 2 * DAY + 7)], { rewrite: false })).toMatchObject({
        kind: 'refused',
        samples: [level(start + 7)],
        reason: expect.stringContaining('older'),
      })
      expect(await history.storageBytes()).toBeGreaterThan(0)
    }, 60_000)
  })
}
