import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bad, good, type Reading, stale } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { pastContract } from './past.contract.ts'
import type { History, RangeColumns, RangeQuery, Sample } from './port.ts'

export const T0 = 1_760_000_000_000
const SECOND = 1000
const HOUR = 3_600_000

/** Received a second after its time. */
export const sampleAt = (ms: number, reading: Reading, name: { gate: string; metric?: string }): Sample => ({
  gate: name.gate,
  metric: name.metric ?? 'level_up',
  t: unixMs(T0 + ms),
  received: unixMs(T0 + ms + SECOND),
  reading,
})

export async function collect(samples: AsyncIterable<Sample>): Promise<Sample[]> {
  const all: Sample[] = []
  for await (const sample of samples) all.push(sample)
  return all
}

export const query = (gate: string, change: Partial<RangeQuery> = {}): RangeQuery => ({
  gate,
  metrics: ['level_up'],
  from: unixMs(T0),
  to: unixMs(T0 + HOUR),
  points: 1000,
  ...change,
})

const sorted = (samples: readonly Sample[]): Sample[] => samples.toSorted((a, b) => a.t - b.t || (a.metric < b.metric ? -1 : 1))

/** What every store must do. Each store's test file calls this with the real thing, empty. */
export function historyContract(name: string, open: () => Promise<History>): void {
  describe(name, () => {
    let history: History
    beforeAll(async () => {
      history = await open()
    })
    afterAll(() => history.close())

    const keep = async (samples: readonly Sample[], options = { rewrite: false }): Promise<void> => {
      expect(await history.write(samples, options)).toEqual({ kind: 'kept' })
    }

    test('an empty store answers with nothing', async () => {
      expect(await history.latest(['nowhere'])).toEqual([])
      expect(await history.latest([])).toEqual([])
      expect(await collect(history.samples(query('nowhere')))).toEqual([])
      const none = { min: [], max: [], mean: [], bad: [] }
      expect(await history.range(query('nowhere', { metrics: ['level_up', 'flow'] }))).toEqual({
        bucketMs: 0,
        t: [],
        series: { level_up: none, flow: none },
      })
      await keep([])
      await history.ready()
    })

    pastContract(() => history)

    test('a sample comes back as it was', async () => {
      const samples = [
        sampleAt(0, good(1.234), { gate: 'as-it-was' }),
        sampleAt(0, good(-0.000_012_5), { gate: 'as-it-was', metric: 'flow' }),
        sampleAt(1000, stale(1.3), { gate: 'as-it-was' }),
        sampleAt(2000, bad('timeout'), { gate: 'as-it-was' }),
        sampleAt(3000, bad('foreign_bad'), { gate: 'as-it-was', metric: 'flow' }),
        sampleAt(4000, good(12_345_678.5), { gate: 'as-it-was' }),
      ]
      await keep(samples)
      expect(sorted(await collect(history.samples(query('as-it-was', { metrics: ['level_up', 'flow'] }))))).toEqual(sorted(samples))
      expect(await collect(history.samples(query('as-it-was', { metrics: ['flow'] })))).toEqual(samples.filter((s) => s.metric === 'flow'))
      expect(await collect(history.samples(query('as-it-was', { metrics: [] })))).toEqual([])
    })

    test('a batch that is sent twice is there once', async () => {
      const batch = Array.from({ length: 20 }, (_, i) => sampleAt(i * SECOND, i % 3 ? good(i) : bad('timeout'), { gate: 'twice' }))
      await keep(batch)
      await keep(batch)
      expect(await collect(history.samples(query('twice')))).toEqual(batch)
    })

    test('of samples with one key in one batch the last counts', async () => {
      await keep([sampleAt(0, good(1), { gate: 'one-key' }), sampleAt(0, good(2), { gate: 'one-key' })])
      expect(await collect(history.samples(query('one-key')))).toEqual([sampleAt(0, good(2), { gate: 'one-key' })])
    })

    const readings: Record<string, Reading> = { GOOD: good(1.5), 'another GOOD': good(2.5), BAD: bad('sensor_fault'), STALE: stale(3.5) }
    for (const [before, first] of Object.entries(readings)) {
      for (const [after, second] of Object.entries(readings)) {
        test(`${after} written over ${before} is what counts, raw, in buckets and as the latest`, async () => {
          const gate = `${before}-${after}`.replaceAll(' ', '-')
          const samples = [sampleAt(0, good(10), { gate }), sampleAt(1000, first, { gate })]
          await keep(samples, { rewrite: true })
          await keep([sampleAt(1000, second, { gate })], { rewrite: true })
          const now = [sampleAt(0, good(10), { gate }), sampleAt(1000, second, { gate })]
          expect(await collect(history.samples(query(gate)))).toEqual(now)
          expect(await history.latest([gate])).toEqual([sampleAt(1000, second, { gate })])
          const { series } = await history.range(query(gate, { points: 1, to: unixMs(T0 + 10_000) }))
          const values = second.quality === 'bad' ? [10] : [10, second.value]
          expect(series).toEqual({
            level_up: {
              min: [Math.min(...values)],
              max: [10],
              mean: [values.reduce((a, b) => a + b) / values.length],
              bad: [second.quality === 'good' ? 0 : 1],
            },
          })
        })
      }
    }

    test('the latest is the newest by its own time, for each metric of each gate asked for', async () => {
      const a = { gate: 'latest-a' }
      const b = { gate: 'latest-b' }
      await keep([
        sampleAt(5000, good(5), a),
        sampleAt(3000, good(3), { ...a, metric: 'flow' }),
        sampleAt(4000, bad('timeout'), { ...a, metric: 'flow' }),
        sampleAt(1000, good(1), b),
      ])
      // Late: an outage ends and older readings arrive.
      await keep([sampleAt(2000, good(2), a), sampleAt(2000, good(2), b), sampleAt(500, bad('timeout'), a)])
      expect(sorted(await history.latest(['latest-a', 'latest-b', 'latest-a', 'nowhere']))).toEqual(
        sorted([sampleAt(5000, good(5), a), sampleAt(4000, bad('timeout'), { ...a, metric: 'flow' }), sampleAt(2000, good(2), b)]),
      )
    })

    test('what arrives out of order lies in order, and the span is from inclusive to exclusive', async () => {
      const samples = [3, 1, 4, 0, 2].map((i) => sampleAt(i * SECOND, good(i), { gate: 'disorder' }))
      for (const sample of samples) await keep([sample])
      const inside = await collect(history.samples(query('disorder', { from: unixMs(T0 + 1000), to: unixMs(T0 + 4000) })))
      expect(inside).toEqual([1, 2, 3].map((i) => sampleAt(i * SECOND, good(i), { gate: 'disorder' })))
      expect((await history.range(query('disorder', { from: unixMs(T0 + 1000), to: unixMs(T0 + 4000) }))).t).toEqual(
        [1, 2, 3].map((i) => T0 + i * SECOND),
      )
      expect((await history.range(query('disorder', { from: unixMs(T0 + 4000), to: unixMs(T0 + 4000) }))).t).toEqual([])
      expect(await collect(history.samples(query('disorder', { from: unixMs(0), to: unixMs(8.64e15) })))).toHaveLength(5)
    })

    test('few samples are drawn raw, on one time axis, with gaps where there is nothing to draw', async () => {
      const gate = 'raw'
      await keep([
        sampleAt(0, good(1), { gate }),
        sampleAt(0, good(5), { gate, metric: 'flow' }),
        sampleAt(1000, bad('timeout'), { gate }),
        sampleAt(2000, stale(2), { gate }),
        sampleAt(3000, good(6), { gate, metric: 'flow' }),
      ])
      const expected: RangeColumns = {
        bucketMs: 0,
        t: [0, 1000, 2000, 3000].map((ms) => T0 + ms),
        series: {
          level_up: { min: [1, null, 2, null], max: [1, null, 2, null], mean: [1, null, 2, null], bad: [0, 1, 1, 0] },
          flow: { min: [5, null, null, 6], max: [5, null, null, 6], mean: [5, null, null, 6], bad: [0, 0, 0, 0] },
          unknown: { min: [null, null, null, null], max: [null, null, null, null], mean: [null, null, null, null], bad: [0, 0, 0, 0] },
        },
      }
      expect(await history.range(query(gate, { metrics: ['level_up', 'flow', 'unknown', 'flow'] }))).toEqual(expected)
    })

    test('many samples are drawn in buckets: no extreme is lost, the mean is of what can be drawn, and a silence is no bucket', async () => {
      const gate = 'buckets'
      const silent = (i: number): boolean => i >= 1200 && i < 1800
      const reading = (i: number): Reading => (i % 10 === 3 ? bad('timeout') : i % 10 === 7 ? stale(i / 10) : good(i === 75 ? 999 : i / 10))
      const samples = Array.from({ length: 3600 }, (_, i) => i)
        .filter((i) => !silent(i))
        .map((i) => sampleAt(i * SECOND, reading(i), { gate }))
      await keep(samples)
      // Not on a bucket's border: the first bucket is cut.
      const from = T0 + 30 * SECOND
      const { bucketMs, t, series } = await history.range(query(gate, { from: unixMs(from), points: 60 }))
      expect(bucketMs).toBe(60_000)
      const buckets = new Map<number, Sample[]>()
      for (const s of samples.filter((x) => x.t >= from)) {
        const start = s.t - (s.t % bucketMs)
        buckets.set(start, [...(buckets.get(start) ?? []), s])
      }
      expect(t).toEqual([...buckets.keys()])
      for (const [i, held] of [...buckets.values()].entries()) {
        const values = held.flatMap((s) => (s.reading.quality === 'bad' ? [] : [s.reading.value]))
        expect(series['level_up']?.min[i]).toBe(Math.min(...values))
        expect(series['level_up']?.max[i]).toBe(Math.max(...values))
        expect(series['level_up']?.mean[i]).toBeCloseTo(values.reduce((a, b) => a + b) / values.length, 9)
        expect(series['level_up']?.bad[i]).toBe(held.filter((s) => s.reading.quality !== 'good').length)
      }
      expect(Math.max(...(series['level_up']?.max ?? []).map(Number))).toBe(999)
    })

    test('a bucket in which nothing can be drawn is a gap that says so', async () => {
      const gate = 'all-bad'
      await keep(Array.from({ length: 10 }, (_, i) => sampleAt(i * SECOND, bad('not_connected'), { gate })))
      const { t, series } = await history.range(query(gate, { points: 1, to: unixMs(T0 + 10 * SECOND) }))
      expect(t).toHaveLength(1)
      expect(series['level_up']).toEqual({ min: [null], max: [null], mean: [null], bad: [10] })
    })

    test('BAD written over part of a bucket takes those values out of it', async () => {
      const gate = 'partly-bad'
      const samples = Array.from({ length: 100 }, (_, i) => sampleAt(i * SECOND, good(i), { gate }))
      await keep(samples, { rewrite: true })
      await keep(
        samples.slice(90).map((s) => ({ ...s, reading: bad('out_of_range') })),
        { rewrite: true },
      )
      const { series } = await history.range(query(gate, { points: 1 }))
      expect(series['level_up']).toEqual({ min: [0], max: [89], mean: [44.5], bad: [10] })
    })

    test('names may hold anything', async () => {
      const odd = [
        '闸上水位',
        'Pump 1/Flow, total=ok',
        "quote\"s 'and' more",
        'back\\slash\\',
        'per cent %',
        'rx',
        'time',
        'gate',
        'level_up_q',
        'level_up_q_m',
        '__proto__',
        'semi;colon',
        'line\nend',
        '-- comment',
        '☃'.repeat(60),
      ]
      const gate = 'odd-names'
      const samples = odd.flatMap((metric, i) => [sampleAt(0, good(i), { gate, metric }), sampleAt(1000, bad('timeout'), { gate, metric })])
      await keep(samples)
      await keep([sampleAt(0, good(0.5), { gate })])
      expect(sorted(await collect(history.samples(query(gate, { metrics: odd }))))).toEqual(sorted(samples))
      expect((await history.latest([gate])).map((s) => s.metric).toSorted()).toEqual([...odd, 'level_up'].toSorted())
      const { series } = await history.range(query(gate, { metrics: odd }))
      for (const [i, metric] of odd.entries()) expect(Object.entries(series).find(([name]) => name === metric)?.[1].mean).toEqual([i, null])
    })

    test('what no store can hold is refused by name, and the rest of the call is kept', async () => {
      const gate = 'unfit'
      const fit = sampleAt(0, good(1), { gate })
      const unfit = [
        sampleAt(1000, good(Number.NaN), { gate }),
        sampleAt(2000, stale(Number.POSITIVE_INFINITY), { gate }),
        sampleAt(3000, good(1), { gate, metric: '' }),
        { ...fit, t: unixMs(-5) },
        { ...fit, t: unixMs(0.5) },
        { ...fit, t: unixMs(1e15) },
      ]
      const outcome = await history.write([...unfit, fit], { rewrite: false })
      expect(outcome).toMatchObject({ kind: 'refused', reason: expect.stringContaining('NaN') })
      expect(outcome.kind === 'refused' && outcome.samples.every((s, i) => s === unfit[i])).toBe(true)
      expect(outcome.kind === 'refused' && outcome.samples.length).toBe(unfit.length)
      expect(await collect(history.samples(query(gate)))).toEqual([fit])
    })

    test('fifty thousand samples in batches, some sent again, are each there once, and are read in pieces', async () => {
      const gate = 'many'
      const metrics = ['level_up', 'level_down', 'opening', 'flow', 'battery']
      const all = Array.from({ length: 10_000 }, (_, i) =>
        metrics.map((metric, m) => sampleAt(i * 360, good(i + m / 10), { gate, metric })),
      ).flat()
      const batches = Array.from({ length: 25 }, (_, i) => all.slice(i * 2000, (i + 1) * 2000))
      for (const [i, batch] of batches.entries()) {
        await keep(batch)
        const earlier = batches[i - 3]
        if (i % 5 === 3 && earlier) await keep(earlier)
      }
      const found = await collect(history.samples(query(gate, { metrics })))
      expect(found).toHaveLength(50_000)
      expect(found.every((s, i) => i === 0 || s.t >= (found[i - 1]?.t ?? 0))).toBe(true)
      expect(sorted(found)).toEqual(sorted(all))
      const { bucketMs, t, series } = await history.range(query(gate, { metrics, points: 100 }))
      expect(bucketMs).toBe(60_000)
      expect(t).toHaveLength(61)
      expect(Math.max(...(series['flow']?.max ?? []).map(Number))).toBe(9999.3)
      expect(await history.latest([gate])).toHaveLength(5)
    })

    test('two writes at the same time are both kept', async () => {
      const gates = Array.from({ length: 8 }, (_, i) => `at-once-${i}`)
      await Promise.all(gates.map((gate) => keep([sampleAt(0, good(1), { gate }), sampleAt(1000, good(2), { gate })])))
      expect(await history.latest(gates)).toHaveLength(8)
    })
  })
}
