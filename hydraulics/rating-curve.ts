import { type CubicMetresPerSecond, cubicMetresPerSecond, type Metres, metres, type UnixMs } from '#contract/units.ts'
import { type Discharge, METHODS, type Refusal, type Regime, refuse } from './discharge.ts'

/** Levels are above the gauge's zero. */
export type RatingShape =
  /** Linear between points, which ascend. */
  | { readonly kind: 'table'; readonly points: readonly { readonly level: Metres; readonly flow: CubicMetresPerSecond }[] }
  /** Q = C·(h − h_e)^β, gauged between `lowest` and `highest`. */
  | {
      readonly kind: 'formula'
      readonly coefficient: number
      /** h_e: the level at which nothing flows. */
      readonly zeroFlowLevel: Metres
      /** β, 1 to 3. */
      readonly exponent: number
      readonly lowest: Metres
      readonly highest: Metres
    }

/** A correction after a current-meter check: silt, ice or weed moved the bed, not the curve. In force until the next one of the curve. */
export type Shift = { readonly from: UnixMs; readonly shift: Metres }

export type RatingCurve = {
  /** As the station's books call it. */
  readonly name: string
  readonly from: UnixMs
  /** Exclusive; null while in force. */
  readonly to: UnixMs | null
  readonly shape: RatingShape
  /** Relative, about 95 %, of a discharge read from it; 0.1 where the books say nothing. */
  readonly uncertainty?: number
  /** Added to the level before the curve is read. */
  readonly shifts?: readonly Shift[]
}

export type RatedFlow = (Extract<Discharge, { quality: 'good' }> & { readonly curve: string; readonly shift: Metres }) | Refusal

/** How far beyond its ends, in shares of its length, a curve may be read at all. */
const READ_BEYOND_ENDS = 0.1

/** Discharge by the curve and the shift in force at a time, m³/s. */
export function ratedFlow(curves: readonly RatingCurve[], level: Metres, at: UnixMs): RatedFlow {
  if (!Number.isFinite(level)) return refuse('not_a_number', `level is ${level}`)
  if (!Number.isFinite(at)) return refuse('not_a_number', `time is ${at}`)
  const curve = curveInForce(curves, at)
  if (!curve) return refuse('no_value', 'no rating curve was in force at that time')
  const [problem] = problemsOf(curve)
  if (problem !== undefined) return refuse('out_of_range', `rating curve ${curve.name}: ${problem}`)
  const shift = shiftInForce(curve, at)
  const read = readShape(curve.shape, level + shift)
  if (typeof read === 'string') return refuse('out_of_range', `rating curve ${curve.name}: ${read}`)
  return {
    quality: 'good',
    flow: cubicMetresPerSecond(read.flow),
    regime: read.regime,
    flags: read.beyond ? ['out_of_method_range'] : [],
    coefficientUncertainty: curve.uncertainty ?? METHODS['rating-curve'].uncertainty,
    curve: curve.name,
    shift,
  }
}

/** The curve whose dates hold `at`; of several the one that came into force last. */
export function curveInForce(curves: readonly RatingCurve[], at: UnixMs): RatingCurve | undefined {
  return curves
    .filter((c) => c.from <= at && (c.to === null || at < c.to))
    .reduce<RatingCurve | undefined>((best, c) => (best && best.from > c.from ? best : c), undefined)
}

function shiftInForce({ shifts = [] }: RatingCurve, at: UnixMs): Metres {
  const inForce = shifts
    .filter((s) => s.from <= at)
    .reduce<Shift | undefined>((best, s) => (best && best.from > s.from ? best : s), undefined)
  return inForce?.shift ?? metres(0)
}

/** The shift that makes a curve agree with a gauging. @returns null where the curve has no level for that flow. */
export function shiftFromGauging(
  curve: RatingCurve,
  gauged: { readonly level: Metres; readonly flow: CubicMetresPerSecond },
): Metres | null {
  const level = levelFor(curve.shape, gauged.flow)
  return level === null || !Number.isFinite(gauged.level) ? null : metres(level - gauged.level)
}

/** @returns the lowest level at which a shape gives this flow, or null outside it. */
export function levelFor(shape: RatingShape, flow: CubicMetresPerSecond): Metres | null {
  switch (shape.kind) {
    case 'formula': {
      const level = shape.zeroFlowLevel + (flow / shape.coefficient) ** (1 / shape.exponent)
      return level >= shape.lowest && level <= shape.highest ? metres(level) : null
    }
    case 'table': {
      let before: (typeof shape.points)[number] | undefined
      for (const point of shape.points) {
        if (flow <= point.flow) {
          if (!before) return flow === point.flow ? point.level : null
          return metres(before.level + ((flow - before.flow) * (point.level - before.level)) / (point.flow - before.flow))
        }
        before = point
      }
      return null
    }
  }
}

type Read = { flow: number; regime: Regime; beyond: boolean }

/** @returns why it cannot be read, in words, where it cannot. */
function readShape(shape: RatingShape, level: number): Read | string {
  const [lowest, highest] = endsOf(shape)
  const dry = shape.kind === 'formula' ? level <= shape.zeroFlowLevel : level <= lowest && shape.points[0]?.flow === 0
  if (dry) return { flow: 0, regime: 'no-flow', beyond: false }
  const margin = READ_BEYOND_ENDS * (highest - lowest)
  if (level < lowest - margin || level > highest + margin) {
    return `level ${level.toFixed(3)} m (shifted) is beyond its ends ${lowest} and ${highest} m by more than a tenth of its length`
  }
  const flow =
    shape.kind === 'formula' ? shape.coefficient * (level - shape.zeroFlowLevel) ** shape.exponent : interpolate(shape.points, level)
  return { flow: Math.max(0, flow), regime: 'rated', beyond: level < lowest || level > highest }
}

function endsOf(shape: RatingShape): readonly [number, number] {
  if (shape.kind === 'formula') return [shape.lowest, shape.highest]
  return [shape.points[0]?.level ?? Number.NaN, shape.points.at(-1)?.level ?? Number.NaN]
}

/** Linear; beyond the ends along the outermost pieces. */
function interpolate(points: Extract<RatingShape, { kind: 'table' }>['points'], level: number): number {
  const above = points.findIndex((p) => p.level >= level)
  const i = above === -1 ? points.length - 1 : Math.max(1, above)
  const [a, b] = [points[i - 1], points[i]]
  if (!a || !b) return Number.NaN
  return a.flow + ((b.flow - a.flow) * (level - a.level)) / (b.level - a.level)
}

/** What is wrong with a curve, one sentence each; empty when it can be used. */
export function problemsOf({ from, to, shape, uncertainty = 0, shifts = [] }: RatingCurve): string[] {
  const problems: string[] = []
  if (!Number.isFinite(from) || (to !== null && !(to > from))) problems.push('it ends before it begins')
  if (!(uncertainty >= 0 && uncertainty <= 1)) problems.push(`uncertainty ${uncertainty} is not between 0 and 1`)
  if (!shifts.every((s) => Number.isFinite(s.from) && Number.isFinite(s.shift))) problems.push('a shift is not a number')
  return [...problems, ...problemsOfShape(shape)]
}

function problemsOfShape(shape: RatingShape): string[] {
  const problems: string[] = []
  if (shape.kind === 'formula') {
    const { coefficient, zeroFlowLevel, exponent, lowest, highest } = shape
    if (!(coefficient > 0 && Number.isFinite(coefficient))) problems.push(`coefficient ${coefficient} is not above 0`)
    if (!(exponent >= 1 && exponent <= 3)) problems.push(`exponent ${exponent} is not between 1 and 3`)
    if (!(Number.isFinite(zeroFlowLevel) && Number.isFinite(highest) && lowest >= zeroFlowLevel && highest > lowest)) {
      problems.push('its levels do not ascend from zero flow over the lowest to the highest')
    }
    return problems
  }
  const { points } = shape
  if (points.length < 2) problems.push('a table needs two points')
  if (!points.every((p) => Number.isFinite(p.level) && Number.isFinite(p.flow) && p.flow >= 0))
    problems.push('a point is not a level and a flow')
  for (const [i, point] of points.entries()) {
    const before = points[i - 1]
    if (before && !(point.level > before.level)) problems.push(`level ${point.level} m does not ascend`)
    if (before && !(point.flow >= before.flow)) problems.push(`flow falls at level ${point.level} m`)
  }
  return problems
}
