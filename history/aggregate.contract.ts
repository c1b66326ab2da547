import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bad, good, type Reading, stale } from '#contract/reading.ts'
import { milliseconds, unixMs } from '#contract/units.ts'
import type { Verdict } from '#contract/verdict.ts'
import { integrate } from '#hydraulics/volume.ts'
import { type Correction, correct } from './corrections.ts'
import { collect, query, sampleAt, T0 } from './history.contract.ts'
import type { Aggregate, History, Sample } from './port.ts'
import { ESTIMATED_BEYOND_MS } from './slice.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** A whole day and hour, a little after T0's. */
const D0 = T0 - (T0 % DAY) + DAY
const unreliable: Verdict = { level: 'unreliable', cause: 'spike' }

/** Quiet or late, sparse or dense, with every kind of sample. */
const kind = fc.oneof(
  { weight: 10, arbitrary: fc.double({ min: -50, max: 500, noNaN: true }).map((v): [Reading, Verdict?] => [good(v === 0 ? 0 : v)]) },
  { weight: 1, arbitrary: fc.constant<[Reading, Verdict?]>([bad('timeout')]) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 9, noNaN: true }).map((v): [Reading, Verdict?] => [stale(v)]) },
  { weight: 1, arbitrary: fc.constant<[Reading, Verdict?]>([good(9999), unreliable]) },
  { weight: 1, arbitrary: fc.constant<[Reading, Verdict?]>([good(5), { level: 'doubtful', cause: 'low_head' }]) },
)
const time = fc.oneof(
  fc.integer({ min: 0, max: 3 * DAY }),
  fc.integer({ min: DAY, max: DAY + 90 * MINUTE }),
  fc.integer({ min: 0, max: 36 }).map((n) => n * 2 * HOUR),
)
const arrivals = fc.array(fc.tuple(time, kind), { minLength: 1, maxLength: 80 })
const edgeTimes = fc
  .uniqueArray(
    fc.oneof(
      fc.integer({ min: -DAY, max: 4 * DAY }),
      fc.integer({ min: -1, max: 4 }).map((n) => n * DAY),
      fc.integer({ min: 0, max: 72 }).map((n) => n * HOUR),
    ),
    { minLength: 2, maxLength: 9 },
  )
  .map((edges) => edges.toSorted((a, b) => a - b).map((ms) => unixMs(D0 + ms)))
const bridging = fc.oneof(fc.constant(undefined), fc.constant(6 * HOUR), fc.integer({ min: 0, max: 3 * HOUR }))
const rulings = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 3 * DAY }),
    length: fc.integer({ min: 1, max: 8 * HOUR }),
    ruling: fc.oneof(
      fc.constant<Correction['ruling']>({ kind: 'bad' }),
      fc.double({ min: 0, max: 99, noNaN: true }).map((value): Correction['ruling'] => ({ kind: 'value', value })),
    ),
  }),
  { maxLength: 2 },
)

/** Of each time the last that arrived, by time: what a clerk would have who got everything in order. */
function truthOf(arrived: readonly Sample[]): Sample[] {
  return [...new Map(arrived.map((s) => [s.t, s])).values()].toSorted((a, b) => a.t - b.t)
}

/** The same figures from the samples in order, by the formulas of hydraulics alone. */
function reckon(
  truth: readonly Sample[],
  edges: readonly number[],
  how: { longest: number; corrections: readonly Correction[]; gate: string },
) {
  const all = correct(truth, how.corrections, { gate: how.gate, metric: 'flow', from: 0, to: 9e15 })
  const timed = all.map(({ sample, by }) => ({
    t: sample.t,
    reading: by === 'marked-bad' || sample.verdict?.level === 'unreliable' ? bad('out_of_range') : sample.reading,
  }))
  return edges.slice(1).map((to, i) => {
    const from = edges[i] ?? 0
    const { unitSeconds, covered, bridged, missing } = integrate(timed, {
      from: unixMs(from),
      to: unixMs(to),
      expectedEvery: milliseconds(ESTIMATED_BEYOND_MS),
      longestBridged: milliseconds(how.longest),
    })
    const inside = timed.filter(({ t }) => t >= from && t < to)
    const values = inside.flatMap(({ reading }) => (reading.quality === 'good' ? [reading.value] : []))
    return { unitSeconds, known: covered + bridged, missing, count: inside.length, values }
  })
}

function expectSame(found: readonly Aggregate[] | undefined, expected: ReturnType<typeof reckon>): void {
  expect(found).toHaveLength(expected.length)
  for (const [i, want] of expected.entries()) {
    const got = found?.[i]
    expect(got?.count).toBe(want.count)
    expect([(got?.covered ?? 0) + (got?.estimated ?? 0), got?.missing]).toEqual([want.known, want.missing])
    expect(got?.integral ?? 0).toBeCloseTo(want.unitSeconds, 3)
    expect(got?.integral === null).toBe(want.known === 0)
    expect(got?.min).toBe(want.values.length === 0 ? null : Math.min(...want.values))
    expect(got?.max).toBe(want.values.length === 0 ? null : Math.max(...want.values))
    expect(got?.last).toBe(want.values.at(-1) ?? null)
  }
}

/** What every store must reckon. Each store's test file calls this with the real thing, empty. */
export function aggregateContract(name: string, open: () => Promise<History>): void {
  describe(name, () => {
    let history: History
    beforeAll(async () => {
      history = await open()
    })
    afterAll(() => history.close())
    const keep = async (samples: readonly Sample[]): Promise<void> => {
      if (samples.length > 0) expect(await history.write(samples, { rewrite: true })).toEqual({ kind: 'kept' })
    }

    test('whatever the order, delay, repetition or correction, volumes are those of the samples in order', async () => {
      let run = 0
      await fc.assert(
        fc.asyncProperty(
          arrivals,
          edgeTimes,
          bridging,
          rulings,
          fc.integer({ min: 1, max: 4 }),
          async (arrived, edges, longest, ruled, parts) => {
            const gate = `order-${run++}`
            const samples = arrived.map(
              ([ms, [reading, verdict]]): Sample => ({
                ...sampleAt(D0 - T0 + ms, reading, { gate, metric: 'flow' }),
                ...(verdict && { verdict }),
              }),
            )
            const corrections = ruled.map(
              ({ at, length, ruling }): Correction => ({
                gate,
                metric: 'flow',
                from: unixMs(D0 + at),
                to: unixMs(D0 + at + length),
                ruling,
              }),
            )
            const size = Math.ceil(samples.length / parts)
            for (let i = 0; i < parts; i++) {
              const arrivedNow = samples.slice(i * size, (i + 1) * size)
              await keep(arrivedNow)
              await keep(arrivedNow.slice(0, 3))
              // Roll-ups are built of what is there so far, and must come right again by what follows.
              if (i % 2 === 0) await history.rollUp(Number.POSITIVE_INFINITY)
            }
            const asked = {
              gates: [gate],
              metric: 'flow',
              edges,
              corrections,
              ...(longest === undefined ? {} : { longestBridged: milliseconds(longest) }),
            }
            const written = Array.from({ length: parts }, (_, i) => samples.slice(i * size, (i + 1) * size)).flatMap((part) => [
              ...part,
              ...part.slice(0, 3),
            ])
            const expected = reckon(truthOf(written), edges, { longest: longest ?? HOUR, corrections, gate })
            expectSame((await history.aggregate(asked)).get(gate), expected)
            await history.rollUp(Number.POSITIVE_INFINITY)
            expectSame((await history.aggregate(asked)).get(gate), expected)
          },
        ),
        { numRuns: 25 },
      )
    }, 120_000)

    test('a verdict comes back with its sample, and an unreliable value is drawn but not summed', async () => {
      const gate = 'verdict'
      const samples = [0, 1, 2, 3].map((i) => sampleAt(i * MINUTE, good(i === 2 ? 500 : 10), { gate, metric: 'flow' }))
      const judged = samples.map((s, i) => (i === 2 ? { ...s, verdict: unreliable } : s))
      await keep(judged)
      expect(await collect(history.samples(query(gate, { metrics: ['flow'] })))).toEqual(judged)
      const edges = [T0, T0 + 3 * MINUTE].map(unixMs)
      const [got] = (await history.aggregate({ gates: [gate], metric: 'flow', edges })).get(gate) ?? []
      expect(got).toMatchObject({ count: 3, unreliable: 1, bad: 0, max: 10, mean: 10, integral: 1800, completeness: 1 })
      expect(got?.estimated).toBe(2 * MINUTE)
      const { series } = await history.range(query(gate, { metrics: ['flow'], points: 1 }))
      expect(series['flow']?.max).toEqual([500])
      // Judged anew, it is as good as any.
      await keep(samples)
      const [now] = (await history.aggregate({ gates: [gate], metric: 'flow', edges })).get(gate) ?? []
      expect(now).toMatchObject({ unreliable: 0, max: 500 })
    })

    test('a gap is bridged up to an hour and beyond is missing; what is bridged has the wider error', async () => {
      const gate = 'gaps'
      await keep([0, 1, 31, 32, 152].map((m) => sampleAt(D0 - T0 + m * MINUTE, good(m < 10 ? 10 : 20), { gate, metric: 'flow' })))
      const edges = [D0, D0 + 152 * MINUTE].map(unixMs)
      const [got] = (await history.aggregate({ gates: [gate], metric: 'flow', edges })).get(gate) ?? []
      expect(got).toMatchObject({ covered: 2 * MINUTE, estimated: 30 * MINUTE, missing: 120 * MINUTE })
      expect(got?.integral).toBeCloseTo(60 * 10 + 1800 * 15 + 60 * 20, 6)
      // Half of 10 m³/s over 30 minutes.
      expect(got?.bridgingError).toBeCloseTo(1800 * 5, 6)
    })

    test('a gate of which nothing is known has every period missing, and edges that do not ascend are a mistake', async () => {
      const found = await history.aggregate({ gates: ['nowhere', 'nowhere'], metric: 'flow', edges: [D0, D0 + DAY].map(unixMs) })
      expect([...found]).toMatchObject([['nowhere', [{ count: 0, integral: null, mean: null, missing: DAY, completeness: 0 }]]])
      await expect(history.aggregate({ gates: ['g'], metric: 'flow', edges: [D0, D0].map(unixMs) })).rejects.toThrow(RangeError)
    })
  })
}
