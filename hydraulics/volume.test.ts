import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bad, good, stale } from '#contract/reading.ts'
import { milliseconds, unixMs } from '#contract/units.ts'
import { completeness, integrate, startIntegral, sumVolumes, type TimedReading, timeWeightedMean, volumeOf, type Window } from './volume.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const at = (t: number, value: number): TimedReading => ({ t: unixMs(t), reading: good(value) })
const over = (from: number, to: number, gaps: { expected?: number; longest?: number } = {}): Window => ({
  from: unixMs(from),
  to: unixMs(to),
  expectedEvery: milliseconds(gaps.expected ?? MINUTE),
  longestBridged: milliseconds(gaps.longest ?? HOUR),
})
const every = (ms: number, from: number, to: number, flow: (t: number) => number): TimedReading[] =>
  Array.from({ length: Math.floor((to - from) / ms) + 1 }, (_, i) => at(from + i * ms, flow(from + i * ms)))

const series = fc
  .uniqueArray(fc.integer({ min: 0, max: 3 * DAY }), { minLength: 1, maxLength: 60 })
  .chain((times) =>
    fc.tuple(
      ...times.map((t) =>
        fc
          .oneof(
            { weight: 8, arbitrary: fc.double({ min: -50, max: 500, noNaN: true }).map(good) },
            { weight: 1, arbitrary: fc.constant(bad('timeout')) },
            { weight: 1, arbitrary: fc.double({ min: 0, max: 500, noNaN: true }).map(stale) },
          )
          .map((reading): TimedReading => ({ t: unixMs(t), reading })),
      ),
    ),
  )
const ends = fc
  .tuple(fc.integer({ min: -DAY, max: 4 * DAY }), fc.integer({ min: 0, max: 4 * DAY }))
  .map(([from, length]) => [from, from + length] as const)
const gaps = fc.record({ expected: fc.integer({ min: 0, max: HOUR }), longest: fc.integer({ min: 0, max: DAY }) })

test('1 m³/s for a day is a flow-day of 86 400 m³, all of it covered', () => {
  expect(
    volumeOf(
      every(MINUTE, 0, DAY, () => 1),
      over(0, DAY),
    ),
  ).toEqual({ volume: 86_400, meanFlow: 1, covered: DAY, bridged: 0, missing: 0 })
})

test('a flow that rises evenly gives the area of the triangle, whatever the times of its samples', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: HOUR - 1 }), { maxLength: 40 }), (times) => {
      const samples = [0, ...times, HOUR].map((t) => at(t, t / 1000))
      expect(volumeOf(samples, over(0, HOUR)).volume).toBeCloseTo(3600 ** 2 / 2, 3)
    }),
  )
})

test('a short gap is bridged by a straight line and a long one is missing, not guessed', () => {
  const samples = [at(0, 10), at(MINUTE, 10), at(31 * MINUTE, 20), at(32 * MINUTE, 20), at(32 * MINUTE + 2 * HOUR, 20)]
  const result = volumeOf(samples, over(0, 32 * MINUTE + 2 * HOUR))
  expect(result).toMatchObject({ covered: 2 * MINUTE, bridged: 30 * MINUTE, missing: 2 * HOUR })
  expect(result.volume).toBeCloseTo(60 * 10 + 1800 * 15 + 60 * 20, 6)
  expect(completeness(result)).toBeCloseTo(32 / 152, 9)
})

test('a BAD or STALE sample and one that is not a number give no value: the time around them is bridged', () => {
  for (const reading of [bad('timeout'), stale(999), good(Number.NaN)]) {
    const samples = [at(0, 4), { t: unixMs(20_000), reading }, at(40_000, 4)]
    expect(volumeOf(samples, over(0, 40_000))).toEqual({ volume: 160, meanFlow: 4, covered: 0, bridged: 40_000, missing: 0 })
  }
})

test('before the first and after the last sample nothing is known, and where nothing is known at all there is no volume, not 0', () => {
  expect(volumeOf([at(MINUTE, 5), at(2 * MINUTE, 5)], over(0, 4 * MINUTE))).toMatchObject({
    volume: 300,
    covered: MINUTE,
    missing: 3 * MINUTE,
  })
  const nothing = { volume: null, meanFlow: null, covered: 0, bridged: 0, missing: HOUR }
  expect(volumeOf([], over(0, HOUR))).toEqual(nothing)
  expect(volumeOf([at(MINUTE, 5)], over(0, HOUR))).toEqual(nothing)
  expect(volumeOf([], over(HOUR, HOUR))).toMatchObject({ volume: 0, meanFlow: null, missing: 0 })
})

test('a window split at any time sums to the whole: volume and coverage', () => {
  fc.assert(
    fc.property(series, ends, fc.double({ min: 0, max: 1, noNaN: true }), gaps, (samples, [from, to], share, g) => {
      const middle = Math.round(from + (to - from) * share)
      const whole = volumeOf(samples, over(from, to, g))
      const sum = sumVolumes([volumeOf(samples, over(from, middle, g)), volumeOf(samples, over(middle, to, g))])
      expect([sum.covered, sum.bridged, sum.missing]).toEqual([whole.covered, whole.bridged, whole.missing])
      expect(sum.volume ?? 0).toBeCloseTo(whole.volume ?? 0, 2)
      expect(whole.covered + whole.bridged + whole.missing).toBe(to - from)
    }),
    { numRuns: 500 },
  )
})

test('samples in any order give the volume of the sorted ones, to the last bit', () => {
  fc.assert(
    fc.property(
      series.chain((s) => fc.tuple(fc.constant(s), fc.shuffledSubarray(s, { minLength: s.length }))),
      ends,
      gaps,
      ([samples, shuffled], [from, to], g) => {
        const sorted = samples.toSorted((a, b) => a.t - b.t)
        expect(volumeOf(shuffled, over(from, to, g))).toEqual(volumeOf(sorted, over(from, to, g)))
      },
    ),
    { numRuns: 500 },
  )
})

test('a sample sent twice counts once, and the later of two at one time holds', () => {
  const samples = [at(0, 1), at(MINUTE, 1), at(0, 1), at(MINUTE, 3)]
  expect(volumeOf(samples, over(0, MINUTE)).volume).toBe(120)
})

test('sample by sample gives the same as all at once, and refuses one that comes late', () => {
  fc.assert(
    fc.property(series, ends, gaps, (samples, [from, to], g) => {
      const integral = startIntegral(over(from, to, g))
      for (const sample of samples.toSorted((a, b) => a.t - b.t)) integral.add(sample)
      expect(integral.result()).toEqual(integrate(samples, over(from, to, g)))
    }),
  )
  const integral = startIntegral(over(0, DAY))
  integral.add(at(5, 1))
  expect(() => integral.add(at(5, 1))).toThrow(RangeError)
})

test('no sample can make a volume that is not a number', () => {
  const any = fc.record({ t: fc.integer({ min: 0, max: DAY }).map(unixMs), reading: fc.double({ min: -1e6, max: 1e6 }).map(good) })
  fc.assert(
    fc.property(fc.array(any), ends, gaps, (samples, [from, to], g) => {
      const { volume, meanFlow } = volumeOf(samples, over(from, to, g))
      for (const n of [volume, meanFlow]) expect(n === null || Number.isFinite(n)).toBe(true)
    }),
  )
})

test('the mean of a level reported on change is weighted by time', () => {
  const samples = [at(0, 1), at(50 * MINUTE, 1), at(51 * MINUTE, 2), at(52 * MINUTE, 2), at(HOUR, 2)]
  const { mean, missing } = timeWeightedMean(samples, over(0, HOUR))
  expect(mean).toBeCloseTo((50 * 1 + 1.5 + 9 * 2) / 60, 9)
  expect(missing).toBe(0)
  expect(timeWeightedMean([], over(0, HOUR)).mean).toBeNull()
})

test('a window that ends before it begins is a mistake of the caller', () => {
  expect(() => volumeOf([], over(5, 1))).toThrow(RangeError)
  expect(() => volumeOf([], over(Number.NaN, 1))).toThrow(RangeError)
  expect(() => volumeOf([], over(0, 1, { longest: -1 }))).toThrow(RangeError)
})
