import type { CubicMetresPerSecond } from '#contract/units.ts'
import { type Calibration, type Observation, type StructureHydraulics, structureFlow } from './structure-flow.ts'

/** A current-meter gauging beside what the structure's method says, uncalibrated, of the same moment. */
export type GaugedPair = {
  readonly measured: CubicMetresPerSecond
  readonly computed: CubicMetresPerSecond
  /** Of the gauging, relative, about 95 %; 0.05 where it is not given. */
  readonly uncertainty?: number
}

export type Residual = {
  /** Measured less fitted, m³/s. */
  readonly flow: CubicMetresPerSecond
  /** By the fitted discharge. */
  readonly relative: number
}

export type Fit =
  | {
      readonly kind: 'fitted'
      /** Ready for {@link StructureHydraulics}: factor, and its uncertainty by Student's t at 95 %. */
      readonly calibration: Calibration
      readonly n: number
      /** Of the factor, 1 σ. */
      readonly standardError: number
      /** Scatter of single gaugings about the fit, relative, 1 σ. */
      readonly relativeScatter: number
      /** In the order of the pairs. */
      readonly residuals: readonly Residual[]
    }
  | { readonly kind: 'refused'; readonly reason: string }

const DEFAULT_GAUGING_UNCERTAINTY = 0.05
/** One gauging gives a factor but no word on how good it is. */
const FEWEST_GAUGINGS = 2

/**
 * The factor on a structure's coefficient that fits its gaugings best: weighted least squares of measured = factor · computed. A current meter errs by
 * a share of the discharge, so weights are 1/(uncertainty · computed)²; with equal uncertainties the factor is the mean of the ratios.
 */
export function fitFactor(pairs: readonly GaugedPair[]): Fit {
  if (pairs.length < FEWEST_GAUGINGS) return { kind: 'refused', reason: `${pairs.length} gaugings, at least ${FEWEST_GAUGINGS} are needed` }
  let [weights, weightedRatios] = [0, 0]
  for (const [i, { measured, computed, uncertainty = DEFAULT_GAUGING_UNCERTAINTY }] of pairs.entries()) {
    const possible = [measured, computed, uncertainty].every((n) => Number.isFinite(n) && n > 0)
    if (!possible) return { kind: 'refused', reason: `gauging ${i + 1}: measured ${measured}, computed ${computed}, ±${uncertainty}` }
    weights += uncertainty ** -2
    weightedRatios += (measured / computed) * uncertainty ** -2
  }
  const factor = weightedRatios / weights
  const n = pairs.length
  const residuals: Residual[] = []
  let [squares, weightedSquares] = [0, 0]
  for (const { measured, computed, uncertainty = DEFAULT_GAUGING_UNCERTAINTY } of pairs) {
    const flow = (measured - factor * computed) as CubicMetresPerSecond
    const relative = flow / (factor * computed)
    residuals.push({ flow, relative })
    squares += relative ** 2
    weightedSquares += (flow / computed / uncertainty) ** 2
  }
  const standardError = Math.sqrt(weightedSquares / (n - 1) / weights)
  const calibration = { factor, uncertainty: (studentT95(n - 1) * standardError) / factor }
  if (![factor, standardError, calibration.uncertainty].every(Number.isFinite))
    return { kind: 'refused', reason: 'the gaugings are beyond reckoning' }
  return { kind: 'fitted', calibration, n, standardError, relativeScatter: Math.sqrt(squares / (n - 1)), residuals }
}

export type Gauging = { readonly observed: Observation; readonly measured: CubicMetresPerSecond; readonly uncertainty?: number }

export type StructureFit = {
  readonly fit: Fit
  /** Gaugings that say nothing of the coefficient, by their place in the list. */
  readonly excluded: readonly { readonly index: number; readonly reason: string }[]
}

/** Fits a structure's factor to gaugings made at known levels and openings. A calibration that it has already is left out of account. */
export function calibrate({ calibration: _, ...structure }: StructureHydraulics, gaugings: readonly Gauging[]): StructureFit {
  const pairs: GaugedPair[] = []
  const excluded: { index: number; reason: string }[] = []
  for (const [index, { observed, measured, uncertainty }] of gaugings.entries()) {
    const result = structureFlow(structure, observed)
    if (result.quality === 'bad') excluded.push({ index, reason: result.detail })
    else if (!(result.flow > 0)) excluded.push({ index, reason: `the method gives no discharge (${result.regime})` })
    else if (!(measured > 0 && Number.isFinite(measured))) excluded.push({ index, reason: `measured ${measured} m³/s` })
    else if (result.flags.length > 0) excluded.push({ index, reason: result.flags.join(', ') })
    else pairs.push({ measured, computed: result.flow, ...(uncertainty !== undefined && { uncertainty }) })
  }
  return { fit: fitFactor(pairs), excluded }
}

const STUDENT_T95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086,
]
/** Two-sided, 95 %; beyond the table within 0.002. */
const studentT95 = (degreesOfFreedom: number): number => STUDENT_T95[degreesOfFreedom - 1] ?? 1.96 + 2.52 / degreesOfFreedom
