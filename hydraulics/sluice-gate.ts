import { type CubicMetresPerSecond, cubicMetresPerSecond, type Metres, metres } from '#contract/units.ts'

const GRAVITY_MS2 = 9.81
/** Below a leaf that is nearly clear of the water Swamee's coefficient falls to 0; it is held from here on. */
const SWAMEE_MAX_OPENING_TO_DEPTH = 0.9

/** One leaf over a flat sill; depths are above the sill, `down` may be below it. */
export type LeafFlow = {
  readonly width: Metres
  readonly opening: Metres
  readonly up: Metres
  readonly down: Metres
}

/** What a leaf passes, and by which rule it was found. `cd` refers to b·a·√(2·g·up). */
export type GateFlow =
  | { readonly regime: 'free' | 'submerged'; readonly flow: CubicMetresPerSecond; readonly cd: number }
  /** The leaf does not hold the water back: it is clear, or so high that the open bay would pass less. */
  | { readonly regime: 'weir'; readonly flow: CubicMetresPerSecond }
  /** Closed, dry, or no fall from up to down. Leakage and reverse flow are not reckoned. */
  | { readonly regime: 'no-flow'; readonly flow: CubicMetresPerSecond }
  /** An input is not a finite number, or the width not positive: nothing is known, which is not 0. */
  | { readonly regime: 'bad'; readonly reason: 'not_a_number' }

/**
 * Discharge under one vertical sharp-edged leaf, m³/s.
 *
 * Orifice flow after Swamee, "Sluice-gate discharge equations", J. Irrig. Drain. Eng. 118(1), 1992, 56–60: free and submerged, continuous where
 * they meet. Valid for a sharp-edged leaf of the channel's width on a horizontal apron; uncalibrated, expect ±10 to 15 %.
 * A leaf never passes more than the open bay would ({@link openBayFlow}): Swamee knows no submergence of a leaf that is nearly clear.
 * So the flow is continuous and never falls when a leaf is raised.
 */
export function gateFlow({ width, opening, up, down }: LeafFlow): GateFlow {
  if (![width, opening, up, down].every(Number.isFinite) || width <= 0) return { regime: 'bad', reason: 'not_a_number' }
  if (opening <= 0 || up <= 0 || down >= up) return { regime: 'no-flow', flow: cubicMetresPerSecond(0) }
  const open = openBayFlow({ width, up, down })
  if (opening >= up) return { regime: 'weir', flow: open }
  const a = Math.min(opening, SWAMEE_MAX_OPENING_TO_DEPTH * up)
  const { cd, regime } = swamee(a, up, down)
  const flow = cubicMetresPerSecond(cd * width * a * Math.sqrt(2 * GRAVITY_MS2 * up))
  return flow < open ? { regime, flow, cd } : { regime: 'weir', flow: open }
}

function swamee(a: number, h0: number, h2: number): { cd: number; regime: 'free' | 'submerged' } {
  const free = 0.611 * ((h0 - a) / (h0 + 15 * a)) ** 0.072
  const limit = h2 > 0 ? 0.81 * h2 * (h2 / a) ** 0.72 : 0
  if (h0 >= limit) return { cd: free, regime: 'free' }
  const head = (h0 - h2) ** 0.7
  return { cd: (free * head) / (0.32 * (limit - h0) ** 0.7 + head), regime: 'submerged' }
}

/**
 * Discharge of a bay with its leaf clear of the water, m³/s: a broad-crested weir without losses, critical on the sill until the tail water
 * is above ⅔ of the head, then b·h2·√(2·g·(h0 − h2)): Bernoulli from the pool to the sill, so the highest flow possible.
 */
export function openBayFlow({ width, up, down }: Omit<LeafFlow, 'opening'>): CubicMetresPerSecond {
  if (up <= 0 || down >= up) return cubicMetresPerSecond(0)
  const depth = Math.max(down, (2 / 3) * up)
  return cubicMetresPerSecond(width * depth * Math.sqrt(2 * GRAVITY_MS2 * (up - depth)))
}

/** @returns the tail water depth above which a leaf open by `opening` under `up` is submerged (Swamee 1992). */
export function submergenceLimit({ opening, up }: Pick<LeafFlow, 'opening' | 'up'>): Metres {
  return metres(((up * opening ** 0.72) / 0.81) ** (1 / 1.72))
}

/** @returns the opening, at most `highest`, that passes `wanted`; `highest` when that passes less. */
export function openingFor(
  wanted: CubicMetresPerSecond,
  { width, up, down, highest }: Omit<LeafFlow, 'opening'> & { readonly highest: Metres },
): Metres {
  let low = 0
  let high: number = highest
  const passes = (opening: number): number => {
    const result = gateFlow({ width, opening: metres(opening), up, down })
    return result.regime === 'bad' ? Number.NaN : result.flow
  }
  if (!(passes(high) > wanted)) return highest
  // The flow never falls when a leaf is raised, so halving finds it: 50 steps, far below a millimetre.
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2
    if (passes(middle) < wanted) low = middle
    else high = middle
  }
  return metres(high)
}
