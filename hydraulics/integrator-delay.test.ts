import fc from 'fast-check'
import { expect, test } from 'vitest'
import { delay, levelChange } from './integrator-delay.ts'

test('on the main canal from its head to the first check a front takes 77 min and the change 274 min', () => {
  const { earliest_s, latest_s } = delay({ length_m: 36_000, depth_m: 4.9, velocity_ms: 1.32, width_m: 79.6 })
  // The figures of the reach's estimate: dynamic wave by the hydraulic depth, kinematic wave 5V/3.
  expect(earliest_s / 60).toBeGreaterThan(70)
  expect(earliest_s / 60).toBeLessThan(80)
  expect(latest_s / 60).toBeCloseTo(273, 0)
})

test('nothing changes before the front can be there, and what flows in stays in', () => {
  const positive = (max: number) => fc.double({ min: 0.1, max, noNaN: true })
  fc.assert(
    fc.property(
      positive(60_000),
      positive(6),
      positive(2),
      positive(90),
      positive(100),
      positive(90_000),
      (length_m, depth_m, velocity_ms, width_m, flow_m3s, after_s) => {
        const reach = { length_m, depth_m, velocity_ms, width_m }
        const { earliest_s, latest_s } = delay(reach)
        expect(latest_s).toBeGreaterThanOrEqual(earliest_s)
        const change = levelChange(reach, { flow_m3s, after_s })
        expect(change.lowest_m).toBeLessThanOrEqual(change.highest_m)
        if (after_s <= earliest_s) expect(change.highest_m).toBe(0)
        expect(change.lowest_m * width_m * length_m).toBeLessThanOrEqual(flow_m3s * after_s * (1 + 1e-9))
      },
    ),
  )
})
