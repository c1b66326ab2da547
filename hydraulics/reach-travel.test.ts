import { expect, test } from 'vitest'
import { cubicMetresPerSecond, metres } from '#contract/units.ts'
import type { Channel } from './manning.ts'
import { reachTravel } from './reach-travel.ts'

const MINUTE_MS = 60_000
// A section that stands 4.9 m deep and 79.6 m wide at 450 m³/s, as estimated for the General Main Canal below its head.
const main: Channel = { bedWidth: metres(60), sideSlope: 2, slope: 1.317e-4, roughness: 0.0225 }

test('450 m³/s through the 36 km from the head to gate 1 take 77 to 274 minutes (estimate, computed by hand)', () => {
  const travel = reachTravel(main, { length: metres(36_000), flow: cubicMetresPerSecond(450) })
  expect((travel?.front ?? 0) / MINUTE_MS).toBeCloseTo(77, -1)
  expect(Math.abs((travel?.established ?? 0) / MINUTE_MS / 274 - 1)).toBeLessThan(0.02)
})

test('less water takes longer, and a dry canal has no travel time', () => {
  const length = metres(10_000)
  const [much, little] = [400, 40].map((q) => reachTravel(main, { length, flow: cubicMetresPerSecond(q) }))
  expect(little?.established).toBeGreaterThan(much?.established ?? Number.POSITIVE_INFINITY)
  expect(little?.front).toBeGreaterThan(much?.front ?? Number.POSITIVE_INFINITY)
  expect(reachTravel(main, { length, flow: cubicMetresPerSecond(0) })).toBeNull()
})
