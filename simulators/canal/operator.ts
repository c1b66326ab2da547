import { cubicMetresPerSecond, metres } from '#contract/units.ts'
import { openingFor } from '#hydraulics/sluice-gate.ts'

/** What a gate's keeper sees: leaves of one opening, the flow through them all in m³/s, depths above the sill in m. */
export type Seen = {
  readonly opening_mm: number
  readonly flow: number
  readonly up: number
  readonly down: number
  readonly leaves: number
  readonly width_m: number
  readonly height_mm: number
  /** m³/s through all leaves. */
  readonly wanted: number
}

/** Smallest move worth a start of the motor. */
const LEAST_MOVE_MM = 10
/** A keeper lets be what is this near. */
const NEAR_ENOUGH = 0.06
const BIGGEST_FACTOR = 1.5
/** A smaller opening is set anew by reckoning: a factor of it would be less than a move that is worth a start, and the gate would stay as it is. */
const LEAST_TO_SCALE_MM = 50

/** @returns the opening that a keeper would set, mm: the present one where the difference is not worth a start. */
export function decideOpening(seen: Seen): number {
  const { opening_mm, flow, wanted, height_mm } = seen
  if (wanted <= 0.005 * seen.width_m) return 0
  if (Math.abs(flow - wanted) <= NEAR_ENOUGH * wanted) return opening_mm
  const next =
    opening_mm > LEAST_TO_SCALE_MM && flow > 0
      ? opening_mm * Math.min(BIGGEST_FACTOR, Math.max(1 / BIGGEST_FACTOR, wanted / flow))
      : solve(seen)
  const rounded = Math.min(height_mm, Math.round(next / LEAST_MOVE_MM) * LEAST_MOVE_MM)
  return Math.abs(rounded - opening_mm) < LEAST_MOVE_MM ? opening_mm : rounded
}

function solve({ wanted, leaves, width_m, height_mm, up, down }: Seen): number {
  if (up <= 0) return 0
  const opening = openingFor(cubicMetresPerSecond(wanted / leaves), {
    width: metres(width_m),
    up: metres(up),
    down: metres(Math.min(down, up - 0.05)),
    highest: metres(height_mm / 1000),
  })
  return opening * 1000
}
