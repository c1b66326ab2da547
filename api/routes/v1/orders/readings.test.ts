import { expect, test } from 'vitest'
import { unixMs } from '#contract/units.ts'
import { liveState, liveValue } from '../../../testing/district.ts'
import { readingsOf } from './readings.ts'

const T = unixMs(1_790_000_000_000)
const gate = (state: ReturnType<typeof liveState> | null) => ({ state, stale_after_ms: 15_000, leaves: 2 })
const metrics = {
  flow: liveValue(T, 8.5),
  level_up: liveValue(T - 16_000, 1.9),
  level_down: { ...liveValue(T, 1.5), v: null, q: 1 },
  opening: liveValue(T, 0.5),
}

test('an order writes down what is sound of the gate: a bad, old or missing value is none', () => {
  expect(readingsOf(gate(liveState('yc-zh-03', metrics)), T)).toEqual({
    flow_m3s: 8.5,
    level_up_m: null,
    level_down_m: null,
    openings_m: [0.5, null],
  })
})

test('of a site out of contact nothing is written down as if it were now', () => {
  expect(readingsOf(gate(liveState('yc-zh-03', metrics, false)), T)).toMatchObject({ flow_m3s: null, openings_m: [null, null] })
  expect(readingsOf(gate(null), T)).toBeNull()
})
