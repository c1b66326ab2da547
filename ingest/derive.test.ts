import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaultFlowMethod, type FlowMethod } from '#contract/flow-method.ts'
import { DERIVED_FLOW } from '#contract/metrics.ts'
import { bad, good, type Reading, stale } from '#contract/reading.ts'
import type { Sample } from '#history/port.ts'
import { deriveFlow } from '#hydraulics/derive-flow.ts'
import { Analysis, type Settled } from './analysis.ts'
import { CHECK, sample, T0 } from './testing/structure.ts'

// One leaf of 4 m, 0.5 m open under 2.0 m with 1.5 m below: 4.798358 m³/s (Swamee 1992, computed vector).
const READINGS: Readonly<Record<string, Reading>> = { level_up: good(2), level_down: good(1.5), opening: good(0.5), opening_2: good(0.5) }
const flowOf = (change: Record<string, Reading | undefined>, methods: readonly FlowMethod[] = []) => {
  const all: Record<string, Reading | undefined> = { ...READINGS, ...change }
  return deriveFlow(CHECK, methods, T0, (metric) => (all[metric] ? { reading: all[metric] } : undefined))
}

test('the flow is derived leaf by leaf: two leaves pass twice 4.798 m³/s, and a mean opening would not say the same', () => {
  expect(flowOf({})?.reading).toEqual(good(expect.closeTo(2 * 4.798358, 4)))
  const uneven = flowOf({ opening: good(1), opening_2: good(0) })?.reading
  expect(uneven?.quality === 'good' && Math.abs(uneven.value - 2 * 4.798358)).toBeGreaterThan(0.3)
})

test('what can not be known is BAD with its reason, never 0, and what has not been heard of is not said', () => {
  expect(flowOf({ opening_2: bad('timeout') })?.reading).toEqual(bad('no_value'))
  expect(flowOf({ level_up: stale(2) })?.reading).toEqual(bad('no_value'))
  expect(flowOf({ level_down: good(Number.NaN) })?.reading).toEqual(bad('not_a_number'))
  expect(flowOf({ level_up: good(400) })?.reading).toEqual(bad('out_of_range'))
  expect(flowOf({ opening_2: undefined })).toBeUndefined()
})

test('little fall, water that stands higher below, and a leaf beyond the method’s range make the flow doubtful, each by its name', () => {
  expect(flowOf({})?.verdict).toBeUndefined()
  expect(flowOf({ level_down: good(1.97) })?.verdict).toEqual({ level: 'doubtful', cause: 'low_head' })
  expect(flowOf({ level_down: good(2.2) })?.verdict).toEqual({ level: 'doubtful', cause: 'reversed' })
  expect(flowOf({ opening: good(1.9), level_down: good(0.2) })?.verdict).toEqual({ level: 'doubtful', cause: 'out_of_method' })
})

test('the method in force at that time is used, with its factor; a method of tomorrow is not', () => {
  const factor: FlowMethod = { ...defaultFlowMethod(CHECK.id), from: T0, factor: 0.9, uncertainty: 0.05, source: 'calibrated' }
  expect(flowOf({}, [factor])?.reading).toEqual(good(expect.closeTo(0.9 * 2 * 4.798358, 4)))
  expect(flowOf({}, [{ ...factor, from: T0 + 1 }])?.reading).toEqual(good(expect.closeTo(2 * 4.798358, 4)))
  const rated: FlowMethod = {
    ...factor,
    factor: 1,
    uncertainty: null,
    formula: {
      kind: 'rated',
      curves: [
        {
          name: '2026',
          from: 0,
          to: null,
          shape: {
            kind: 'table',
            points: [
              { level_m: 1, flow_m3s: 5 },
              { level_m: 3, flow_m3s: 15 },
            ],
          },
        },
      ],
    },
  }
  expect(flowOf({ opening: undefined, level_down: undefined }, [rated])?.reading).toEqual(good(10))
})

const settled: Settled = { methods: () => [], rule: () => undefined, isNeighbour: () => false, gate: () => CHECK }
const MINUTE = 60_000

test('a late input makes the flows after it anew, and the same batch again gives the same', () => {
  const analysis = new Analysis(settled)
  const flows = (samples: readonly Sample[]): [number, Reading][] =>
    analysis
      .take(CHECK, samples, 3 * MINUTE)
      .follows.filter((s) => s.metric === DERIVED_FLOW)
      .map((s) => [s.t - T0, s.reading])
  const all = (t: number, reading: Record<string, Reading> = READINGS): Sample[] => Object.entries(reading).map(([m, r]) => sample(m, t, r))
  expect(flows(all(0))).toEqual([[0, good(expect.closeTo(9.5967, 3))]])
  // Only a level has changed enough to be told: the rest still holds.
  const second = [sample('level_down', 2 * MINUTE, good(1.2))]
  expect(flows(second)).toHaveLength(1)
  expect(flows(second)).toEqual(flows(second))
  // Half a minute before it the leaf had been closed: that comes late.
  expect(flows([sample('opening', 90_000, good(0), 9 * MINUTE)]).map(([t]) => t)).toEqual([90_000, 2 * MINUTE])
})

test('of a full batch of one level, as a weir sends it after a long outage, each reading has its flow', () => {
  const weir: FlowMethod = {
    ...defaultFlowMethod(CHECK.id),
    formula: { kind: 'broad-crested', width_m: 4 },
  }
  const analysis = new Analysis({ ...settled, methods: () => [weir] })
  const levels = Array.from({ length: 200 }, (_, i) => sample('level_up', i * MINUTE, good(1 + i / 1000), 200 * MINUTE))
  expect(analysis.take(CHECK, levels, 3 * MINUTE).follows.map((s) => s.t)).toEqual(levels.map((s) => s.t))
})

test('whatever the order in which batches come, the flows in history end up the same', () => {
  const times = fc.uniqueArray(fc.integer({ min: 0, max: 15 }), { minLength: 2, maxLength: 12 })
  const value = fc.double({ min: 0.2, max: 1.2, noNaN: true })
  fc.assert(
    fc.property(times, fc.array(value, { minLength: 16, maxLength: 16 }), fc.infiniteStream(fc.nat()), (minutes, values, shuffle) => {
      const batches = minutes.map((n) => [
        ...Object.entries(READINGS).map(([m, r]) => sample(m, n * MINUTE, m === 'opening' ? good(values[n] ?? 1) : r)),
      ])
      const kept = (order: readonly Sample[][]): Map<number, Reading> => {
        const analysis = new Analysis(settled)
        const flows = new Map<number, Reading>()
        for (const batch of order)
          for (const s of analysis.take(CHECK, batch, 3 * MINUTE).follows) if (s.metric === DERIVED_FLOW) flows.set(s.t, s.reading)
        return new Map([...flows].toSorted(([a], [b]) => a - b))
      }
      const keys = new Map(batches.map((b) => [b, shuffle.next().value]))
      const shuffled = batches.toSorted((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0))
      expect(kept(shuffled)).toEqual(kept(batches))
    }),
    { numRuns: 60 },
  )
})
