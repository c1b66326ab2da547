import type { BadReason } from '#contract/reading.ts'
import type { CubicMetresPerSecond } from '#contract/units.ts'

export const GRAVITY_MS2 = 9.81

/** How the water passes. `rated` and `uniform` are what a rating curve and Manning's formula assume. */
export type Regime = 'free' | 'submerged' | 'weir' | 'uniform' | 'rated' | 'no-flow' | 'reversed'

/** What an analyst must know before signing a discharge. */
export type FlowFlag =
  /** So little fall that a centimetre of level error is a tenth of the discharge and more. */
  | 'low_differential_head'
  /** Geometry or water outside what the method was made from: the number is an extrapolation. */
  | 'out_of_method_range'
  /** The water stands higher below than above. The discharge is given as 0; its uncertainty says how much may run back. */
  | 'reversed'
  /** The method jumps between free and submerged flow near here. */
  | 'near_regime_change'

/** Nothing is known, which is not 0. */
export type Refusal = { readonly quality: 'bad'; readonly reason: BadReason; readonly detail: string }

/** What one method says of one leaf, weir, flume or section. */
export type Discharge =
  | {
      readonly quality: 'good'
      readonly flow: CubicMetresPerSecond
      readonly regime: Regime
      readonly flags: readonly FlowFlag[]
      /** Relative, about 95 %: of the formula and its coefficient alone, not of the levels and openings put in. */
      readonly coefficientUncertainty: number
    }
  | Refusal

/**
 * The methods, where they are published, and their uncertainty (relative, about 95 %) where nobody has calibrated the structure on site. The
 * sluice gates' ±15 % is what two published methods differ by; the others are this project's, on the cautious side of the standards' own.
 */
export const METHODS = {
  swamee: { source: 'Swamee 1992, J. Irrig. Drain. Eng. 118(1), 56–60', uncertainty: 0.15 },
  'energy-momentum': { source: 'Bollrich, Technische Hydromechanik 1, 5th ed., eq. 8.23 to 8.25, as in CRAN hydReng', uncertainty: 0.15 },
  radial: { source: 'HEC-RAS Hydraulic Reference Manual, gated spillways, radial gates', uncertainty: 0.15 },
  'broad-crested': { source: 'Critical depth on the crest, ISO 3846; submergence after D-Flow FM', uncertainty: 0.05 },
  'sharp-crested': { source: 'Rehbock, ISO 1438; submergence after Villemonte 1947', uncertainty: 0.03 },
  'v-notch': { source: 'Kindsvater–Shen, 90°, ISO 1438; submergence after Villemonte 1947', uncertainty: 0.03 },
  parshall: { source: 'Parshall 1926, 1953; ASTM D1941, ISO 9826', uncertainty: 0.05 },
  'rating-curve': { source: "the station's own gaugings", uncertainty: 0.1 },
  manning: { source: 'Manning 1891; roughness and slope as given', uncertainty: 0.2 },
} as const
export type Method = keyof typeof METHODS

/** @returns a refusal that names the first value which is no number, or no length where one must be; null when all make sense. */
export function refuseNonsense(values: {
  readonly finite: Readonly<Record<string, number>>
  readonly positive: Readonly<Record<string, number>>
}): Refusal | null {
  for (const [name, value] of Object.entries({ ...values.finite, ...values.positive })) {
    if (!Number.isFinite(value)) return refuse('not_a_number', `${name} is ${value}`)
  }
  for (const [name, value] of Object.entries(values.positive)) {
    if (value <= 0) return refuse('out_of_range', `${name} is ${value}, must be above 0`)
  }
  return null
}

export const refuse = (reason: BadReason, detail: string): Refusal => ({ quality: 'bad', reason, detail })
