import { type CubicMetresPerSecond, cubicMetresPerSecond, type Metres, metres } from '#contract/units.ts'
import { type Discharge, type FlowFlag, GRAVITY_MS2, METHODS, refuse } from './discharge.ts'

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
  if (!areNumbers({ width, opening, up, down }) || width <= 0) return { regime: 'bad', reason: 'not_a_number' }
  if (opening <= 0 || up <= 0 || down >= up) return { regime: 'no-flow', flow: cubicMetresPerSecond(0) }
  const open = openBayFlow({ width, up, down })
  if (opening >= up) return { regime: 'weir', flow: open }
  const a = Math.min(opening, SWAMEE_MAX_OPENING_TO_DEPTH * up)
  const { cd, regime } = swamee(a, up, down)
  const flow = cubicMetresPerSecond(cd * width * a * Math.sqrt(2 * GRAVITY_MS2 * up))
  return flow < open ? { regime, flow, cd } : { regime: 'weir', flow: open }
}

/** Without a list of them: a flow's uncertainty asks for ten flows of each reading. */
const areNumbers = ({ width, opening, up, down }: LeafFlow): boolean =>
  Number.isFinite(width) && Number.isFinite(opening) && Number.isFinite(up) && Number.isFinite(down)

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

/**
 * Discharge under one vertical leaf, m³/s, by energy and momentum: Bollrich, Technische Hydromechanik 1, 5th ed., eq. 8.23 to 8.25, as the public
 * R package hydReng computes it. Never more than the open bay, as {@link gateFlow}.
 * The published form neglects the approach velocity below the limit of submergence only, so it jumps by 4 to 9 % there.
 */
export function energyMomentumFlow({ width, opening, up, down }: LeafFlow): GateFlow {
  if (!areNumbers({ width, opening, up, down }) || width <= 0) return { regime: 'bad', reason: 'not_a_number' }
  if (opening <= 0 || up <= 0 || down >= up) return { regime: 'no-flow', flow: cubicMetresPerSecond(0) }
  const open = openBayFlow({ width, up, down })
  if (opening >= up) return { regime: 'weir', flow: open }
  const psi = contraction(opening, up)
  const jet = (psi * opening) / up
  const mu = psi / Math.sqrt(1 + jet)
  const regime = down > energyMomentumLimit({ opening, up }) ? 'submerged' : 'free'
  const cd = regime === 'submerged' ? mu * submergedShare(jet, down / up) : mu
  const flow = cubicMetresPerSecond(cd * width * opening * Math.sqrt(2 * GRAVITY_MS2 * up))
  return flow < open ? { regime, flow, cd } : { regime: 'weir', flow: open }
}

const contraction = (opening: number, up: number): number => 1 / (1 + 0.64 * Math.sqrt(1 - (opening / up) ** 2))

/** χ: submerged by free discharge. `jet` is the jet's depth and `tail` the tail water's, both by the depth above the gate. */
function submergedShare(jet: number, tail: number): number {
  const e = 1 - 2 * jet * (1 - jet / tail)
  return Math.sqrt(Math.max(0, (1 + jet) * (e - Math.sqrt(Math.max(0, e * e + tail * tail - 1)))))
}

/** @returns the tail water depth above which the energy–momentum method is submerged. */
export function energyMomentumLimit({ opening, up }: Pick<LeafFlow, 'opening' | 'up'>): Metres {
  const jet = (contraction(opening, up) * opening) / up
  // The discriminant is positive below the jet's own depth too, where nothing is submerged: the limit is its upper root, alone in [√jet, 1].
  // For a jet deeper than half the water there is none, and any tail water above the jet drowns it.
  if (jet >= 0.5) return metres(jet * up)
  let low = Math.sqrt(jet)
  let high = 1
  for (let step = 0; step < 50; step++) {
    const tail = (low + high) / 2
    const e = 1 - 2 * jet * (1 - jet / tail)
    if (e * e + tail * tail < 1) low = tail
    else high = tail
  }
  return metres(high * up)
}

/** Above this opening by depth a leaf over a flat sill no longer makes orifice flow (practice of SL 537). */
const ORIFICE_MAX_OPENING_TO_DEPTH = 0.65
/** Submerged, the two methods agree within their ±15 % up to the first of these openings by depth and differ by 30 % from the second on. */
const METHODS_AGREE_TO = 0.35
const METHODS_DIFFER_FROM = 0.5
const UNCERTAINTY_WHERE_METHODS_DIFFER = 0.3
const NEAR_REGIME_CHANGE = 0.05

export type SluiceMethod = 'swamee' | 'energy-momentum'

/** {@link gateFlow} or {@link energyMomentumFlow} with what an analyst must know of the number. */
export function sluiceGateDischarge(leaf: LeafFlow, method: SluiceMethod): Discharge {
  const result = method === 'swamee' ? gateFlow(leaf) : energyMomentumFlow(leaf)
  if (result.regime === 'bad') {
    const { width, opening, up, down } = leaf
    return refuse(result.reason, `width ${width}, opening ${opening}, depth above ${up}, depth below ${down} m`)
  }
  const flags: FlowFlag[] = []
  const ratio = leaf.opening / leaf.up
  const inWater = result.regime !== 'no-flow' && ratio < 1
  if (inWater && (ratio > ORIFICE_MAX_OPENING_TO_DEPTH || result.regime === 'weir')) flags.push('out_of_method_range')
  if (inWater && method === 'energy-momentum' && Math.abs(leaf.down / energyMomentumLimit(leaf) - 1) <= NEAR_REGIME_CHANGE) {
    flags.push('near_regime_change')
  }
  const uncertainty = METHODS[method].uncertainty
  const apart = Math.min(1, Math.max(0, (ratio - METHODS_AGREE_TO) / (METHODS_DIFFER_FROM - METHODS_AGREE_TO)))
  const coefficientUncertainty =
    inWater && result.regime !== 'free' ? uncertainty + apart * (UNCERTAINTY_WHERE_METHODS_DIFFER - uncertainty) : uncertainty
  return { quality: 'good', flow: result.flow, regime: result.regime, flags, coefficientUncertainty }
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
