import type { CubicMetresPerSecond, Metres, Milliseconds } from '#contract/units.ts'
import { milliseconds } from '#contract/units.ts'
import { type Channel, normalDepth } from './manning.ts'

const GRAVITY = 9.81

/** How long a change of discharge takes through a reach: its front, and until the new discharge is established at the lower end. */
export type ReachTravel = { readonly front: Milliseconds; readonly established: Milliseconds }

/**
 * An estimate from uniform flow: the front runs with the dynamic wave (V + √(gA/T)), the discharge follows with the kinematic one (5/3 V).
 * A pool that a gate backs up is deeper than uniform flow and answers sooner; storage delays it. The truth lies between, see
 * Schuurmans 1995 for the integrator-delay model whose τ this is.
 * @returns null where there is no uniform flow, as at zero discharge
 */
export function reachTravel(
  channel: Channel,
  options: { readonly length: Metres; readonly flow: CubicMetresPerSecond },
): ReachTravel | null {
  const depth = options.flow > 0 ? normalDepth(channel, options.flow) : null
  if (depth === null || depth <= 0) return null
  const topWidth_m = channel.bedWidth + 2 * channel.sideSlope * depth
  const area_m2 = depth * (channel.bedWidth + channel.sideSlope * depth)
  const velocity_mps = options.flow / area_m2
  const wave_mps = velocity_mps + Math.sqrt((GRAVITY * area_m2) / topWidth_m)
  return {
    front: milliseconds((options.length / wave_mps) * 1000),
    established: milliseconds((options.length / ((5 / 3) * velocity_mps)) * 1000),
  }
}
