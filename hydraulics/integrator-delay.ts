import { GRAVITY_MS2 } from './discharge.ts'

/**
 * The integrator-delay model of a canal pool (Schuurmans 1995): A·dh/dt = q_in(t − τ) − q_out(t). Two constants a pool; it keeps the mass and
 * misses resonance. Where only estimates of a reach are known, its delay is a range and so is what follows from it.
 */
export type Reach = {
  readonly length_m: number
  /** Mean depth of the flowing water. */
  readonly depth_m: number
  /** Mean velocity of the flow. */
  readonly velocity_ms: number
  /** Mean width of the water surface. */
  readonly width_m: number
}

/** s from a change of flow at the head: its front (dynamic wave, L/(V + c)) and the change itself (kinematic wave, L/(5V/3)). */
export function delay({ length_m, depth_m, velocity_ms }: Reach): { earliest_s: number; latest_s: number } {
  const celerity = Math.sqrt(GRAVITY_MS2 * Math.max(depth_m, 0.05))
  const slow = (5 / 3) * Math.max(velocity_ms, 0.05)
  const earliest_s = length_m / (velocity_ms + celerity)
  return { earliest_s, latest_s: Math.max(earliest_s, length_m / slow) }
}

/**
 * m by which the pool's level has changed `after_s` from a lasting change of its inflow, its outflow unchanged. The storage area is at most
 * width × length (all of the pool level) and, where a part only is backed up, less: half of it is the other end of the range.
 */
export function levelChange(
  reach: Reach,
  { flow_m3s, after_s }: { flow_m3s: number; after_s: number },
): { lowest_m: number; highest_m: number } {
  const { earliest_s, latest_s } = delay(reach)
  const area = reach.width_m * reach.length_m
  const filled = (delay_s: number, area_m2: number): number => (flow_m3s * Math.max(0, after_s - delay_s)) / area_m2
  const ends = [filled(latest_s, area), filled(earliest_s, area / 2)]
  return { lowest_m: Math.min(...ends), highest_m: Math.max(...ends) }
}
