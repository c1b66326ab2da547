import { cubicMetresPerSecond, type Metres } from '#contract/units.ts'
import { type Discharge, GRAVITY_MS2, METHODS, refuseNonsense } from './discharge.ts'
import { type LeafFlow, openBayFlow } from './sluice-gate.ts'

/** A radial leaf. Coefficients have the reference manual's typical values where they are not given; exponents should sum to 1.5. */
export type RadialLeaf = LeafFlow & {
  /** From the sill to the trunnion pin. */
  readonly trunnionHeight: Metres
  /** Free discharge coefficient, 0.6 to 0.8. */
  readonly coefficient?: number
  readonly trunnionExponent?: number
  readonly openingExponent?: number
  readonly headExponent?: number
  /** Of the fully submerged orifice. */
  readonly orificeCoefficient?: number
}

// The manual says 0.67; with 3·(1 − ⅔) = 1 the submerged form meets the free one exactly.
const SUBMERGENCE_BEGINS = 2 / 3
const FULLY_SUBMERGED = 0.8
/** Between the water's depth above the gate and the opening: below the first weir flow, above the second gate flow. */
const WEIR_UP_TO = 1
const GATE_FROM = 1.25

/**
 * Discharge under one radial leaf, m³/s: HEC-RAS, Q = C·√(2g)·W·T^TE·B^BE·H^HE. From a submergence of ⅔ with H = 3·(up − down), changing
 * gradually to a submerged orifice at 0.8; from a depth of 1.25 openings changing linearly to the open bay at 1.0 ({@link openBayFlow}).
 * Depths stand for energy heads: the approach velocity is neglected.
 * With exponents 0, 1 and ½ (the program's defaults) it is the program's sluice gate.
 */
export function radialGateDischarge(leaf: RadialLeaf): Discharge {
  const { width, opening, up, down, trunnionHeight } = leaf
  const nonsense = refuseNonsense({
    finite: { opening, 'depth above': up, 'depth below': down },
    positive: {
      width,
      'trunnion height': trunnionHeight,
      coefficient: leaf.coefficient ?? 1,
      'orifice coefficient': leaf.orificeCoefficient ?? 1,
    },
  })
  if (nonsense) return nonsense
  const base = { quality: 'good', flags: [], coefficientUncertainty: METHODS.radial.uncertainty } as const
  if (opening <= 0 || up <= 0 || down >= up) return { ...base, regime: 'no-flow', flow: cubicMetresPerSecond(0) }
  const open = openBayFlow({ width, up, down })
  const gateShare = Math.min(1, (up / opening - WEIR_UP_TO) / (GATE_FROM - WEIR_UP_TO))
  if (gateShare <= 0) return { ...base, regime: 'weir', flow: open }
  const gate = Math.min(open, underLeaf(leaf))
  const flow = cubicMetresPerSecond(gateShare * gate + (1 - gateShare) * open)
  const regime = gate === open ? 'weir' : down > SUBMERGENCE_BEGINS * up ? 'submerged' : 'free'
  return { ...base, regime, flow }
}

function underLeaf(leaf: RadialLeaf): number {
  const { width, opening, up, down, trunnionHeight } = leaf
  const { coefficient = 0.7, trunnionExponent = 0.16, openingExponent = 0.72, headExponent = 0.62, orificeCoefficient = 0.8 } = leaf
  const withHead = (head: number): number =>
    coefficient *
    Math.sqrt(2 * GRAVITY_MS2) *
    width *
    trunnionHeight ** trunnionExponent *
    opening ** openingExponent *
    head ** headExponent
  const submergence = down / up
  if (submergence <= SUBMERGENCE_BEGINS) return withHead(up)
  const partly = withHead(3 * (up - down))
  const fully = submergedOrificeFlow({ coefficient: orificeCoefficient, width, opening, up, down })
  const share = Math.min(1, (submergence - SUBMERGENCE_BEGINS) / (FULLY_SUBMERGED - SUBMERGENCE_BEGINS))
  return (1 - share) * partly + share * fully
}

/** Q = C·b·a·√(2·g·(up − down)), m³/s, for finite values; 0 where nothing falls. */
export function submergedOrificeFlow({ coefficient, width, opening, up, down }: LeafFlow & { readonly coefficient: number }): number {
  return coefficient * width * Math.max(0, opening) * Math.sqrt(2 * GRAVITY_MS2 * Math.max(0, up - down))
}
