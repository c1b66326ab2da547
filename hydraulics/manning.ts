import { type CubicMetresPerSecond, cubicMetresPerSecond, type Metres, metres } from '#contract/units.ts'
import { type Discharge, METHODS, refuse, refuseNonsense } from './discharge.ts'

/** A trapezoidal channel; a rectangular one has side slope 0. */
export type Channel = {
  readonly bedWidth: Metres
  /** Horizontal by vertical: 1.5 is 1 up, 1.5 out. */
  readonly sideSlope: number
  /** Of the bed, m per m. */
  readonly slope: number
  /** Manning's n: earth 0.0225 to 0.025, concrete 0.014 to 0.017. */
  readonly roughness: number
}

const HIGHEST_DEPTH_M = 1000

/** Discharge of uniform flow, m³/s: Manning, Q = A·R^⅔·√S/n. True only where no gate below backs the water up. */
export function manningDischarge({ bedWidth, sideSlope, slope, roughness }: Channel, depth: Metres): Discharge {
  const nonsense =
    refuseNonsense({ finite: { depth, 'side slope': sideSlope }, positive: { 'bed width': bedWidth, slope, roughness } }) ??
    (sideSlope < 0 ? refuse('out_of_range', `side slope is ${sideSlope}, must not be below 0`) : null)
  if (nonsense) return nonsense
  const { uncertainty } = METHODS.manning
  if (depth <= 0) {
    return { quality: 'good', flow: cubicMetresPerSecond(0), regime: 'no-flow', flags: [], coefficientUncertainty: uncertainty }
  }
  const area = (bedWidth + sideSlope * depth) * depth
  const perimeter = bedWidth + 2 * depth * Math.hypot(1, sideSlope)
  const flow = cubicMetresPerSecond((area * (area / perimeter) ** (2 / 3) * Math.sqrt(slope)) / roughness)
  return { quality: 'good', flow, regime: 'uniform', flags: [], coefficientUncertainty: uncertainty }
}

/** @returns the depth of uniform flow, or null where there is none (nonsense, or a depth beyond a kilometre). */
export function normalDepth(channel: Channel, flow: CubicMetresPerSecond): Metres | null {
  const at = (depth: number): number => {
    const result = manningDischarge(channel, metres(depth))
    return result.quality === 'good' ? result.flow : Number.NaN
  }
  if (!(flow >= 0 && at(HIGHEST_DEPTH_M) >= flow)) return null
  let low = 0
  let high = HIGHEST_DEPTH_M
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (at(middle) < flow) low = middle
    else high = middle
  }
  return metres(high)
}
