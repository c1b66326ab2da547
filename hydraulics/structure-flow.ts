import { metricOf } from '#contract/metrics.ts'
import { type CubicMetresPerSecond, cubicMetresPerSecond, type Metres, metres, type UnixMs } from '#contract/units.ts'
import { type Discharge, type FlowFlag, type Method, type Refusal, type Regime, refuse } from './discharge.ts'
import { type ParshallThroat, parshallDischarge } from './flume.ts'
import { type Channel, manningDischarge } from './manning.ts'
import { type RadialLeaf, radialGateDischarge } from './radial-gate.ts'
import { type RatingCurve, ratedFlow } from './rating-curve.ts'
import { type SluiceMethod, sluiceGateDischarge } from './sluice-gate.ts'
import { combine, propagate } from './uncertainty.ts'
import { type BroadCrestedWeir, broadCrestedDischarge, type SharpCrestedWeir, sharpCrestedDischarge, vNotchDischarge } from './weir.ts'

/** What current-meter gaugings made of a structure's coefficient ({@link ./calibrate.ts}). */
export type Calibration = {
  /** Measured by computed discharge. */
  readonly factor: number
  /** Relative, about 95 %. */
  readonly uncertainty: number
}

/** Half-widths of what is put in, about 95 %. */
export type Accuracy = { readonly level: Metres; readonly opening: Metres }
export const DEFAULT_ACCURACY: Accuracy = { level: metres(0.01), opening: metres(0.005) }

type Geometry =
  | { readonly kind: 'sluice'; readonly method?: SluiceMethod; readonly leaves: readonly { readonly width: Metres }[] }
  | { readonly kind: 'radial'; readonly leaves: readonly Omit<RadialLeaf, 'opening' | 'up' | 'down'>[] }
  | ({ readonly kind: 'broad-crested' } & Omit<BroadCrestedWeir, 'up' | 'down'>)
  | ({ readonly kind: 'sharp-crested' } & Omit<SharpCrestedWeir, 'up' | 'down'>)
  | { readonly kind: 'v-notch' }
  | { readonly kind: 'parshall'; readonly throat: ParshallThroat }
  | { readonly kind: 'channel'; readonly channel: Channel }
  | { readonly kind: 'rated'; readonly curves: readonly RatingCurve[] }

/** How a structure's discharge is found. */
export type StructureHydraulics = Geometry & {
  /** Sill, crest, flume floor or channel bed above the zero of both levels; a rating curve reads the level itself. */
  readonly sill: Metres
  readonly calibration?: Calibration
  readonly accuracy?: Accuracy
}

/** What was measured at one time. null: it should be there and could not be taken. Absent: the structure has no such gauge. */
export type Observation = {
  readonly at: UnixMs
  readonly up: Metres | null
  readonly down?: Metres | null
  /** Of each leaf, in order. */
  readonly openings?: readonly (Metres | null)[]
}

/** What one leaf passes: all of the structure's, where it has no leaves. */
export type LeafDischarge = { readonly flow: CubicMetresPerSecond; readonly regime: Regime }

/** A discharge that an analyst can sign, or why there is none. Never a 0 for what is not known. */
export type StructureFlow =
  | {
      readonly quality: 'good'
      readonly flow: CubicMetresPerSecond
      /** Of the leaves that pass water; `mixed` when they differ. */
      readonly regime: Regime | 'mixed'
      readonly method: Method
      readonly coefficientSource: 'published' | 'calibrated'
      /** Half-width, about 95 %. */
      readonly uncertainty: CubicMetresPerSecond
      /** By the flow; null where that is 0 or next to it. */
      readonly relativeUncertainty: number | null
      readonly flags: readonly FlowFlag[]
      readonly leaves: readonly LeafDischarge[]
      readonly rating?: { readonly curve: string; readonly shift: Metres }
    }
  | Refusal

/** Below it ±1 cm of level is ±10 % of the discharge and more. */
const LOW_DIFFERENTIAL_HEAD_M = 0.05

/** Discharge of a structure, leaf by leaf (a mean opening gives a wrong sum), with its uncertainty. */
export function structureFlow(structure: StructureHydraulics, observed: Observation): StructureFlow {
  const inputs = takeInputs(structure, observed)
  if ('quality' in inputs) return inputs
  const { calibration, accuracy = DEFAULT_ACCURACY } = structure
  const badNumber = [accuracy.level, accuracy.opening, calibration?.factor ?? 1, calibration?.uncertainty ?? 0].some(
    (n) => !(Number.isFinite(n) && n >= 0),
  )
  if (badNumber || calibration?.factor === 0) return refuse('out_of_range', 'the accuracy or the calibration makes no sense')

  const result = discharge(structure, inputs)
  if (result.quality === 'bad') return result
  const { total, coefficientPlusMinus, parts } = result
  const flags = new Set(parts.flatMap((part) => part.flags))
  if (result.backwards > 0) flags.add('reversed')
  if (isLowDifferential(inputs, parts)) flags.add('low_differential_head')
  const uncertainty = combine(coefficientPlusMinus, inputUncertainty(structure, inputs, accuracy) ?? total, result.backwards)
  if (!Number.isFinite(uncertainty)) return refuse('out_of_range', 'the geometry and the levels give no finite discharge')
  const relative = uncertainty / total
  const [first] = parts
  return {
    quality: 'good',
    flow: cubicMetresPerSecond(total),
    regime: result.backwards > 0 ? 'reversed' : regimeOf(parts),
    method: methodOf(structure),
    coefficientSource: calibration ? 'calibrated' : 'published',
    uncertainty: cubicMetresPerSecond(uncertainty),
    relativeUncertainty: Number.isFinite(relative) ? relative : null,
    flags: [...flags],
    leaves: parts.map(({ flow, regime }) => ({ flow, regime })),
    ...(first?.rating && { rating: first.rating }),
  }
}

export function methodOf(structure: StructureHydraulics): Method {
  switch (structure.kind) {
    case 'sluice':
      return structure.method ?? 'swamee'
    case 'channel':
      return 'manning'
    case 'rated':
      return 'rating-curve'
    case 'radial':
    case 'broad-crested':
    case 'sharp-crested':
    case 'v-notch':
    case 'parshall':
      return structure.kind
  }
}

/** Depths above the sill. `down` is undefined where there is no gauge. */
type Inputs = { readonly at: UnixMs; readonly up: number; readonly down: number | undefined; readonly openings: readonly number[] }
type Part = Extract<Discharge, { quality: 'good' }> & { readonly rating?: { curve: string; shift: Metres } }

/** Every value that the structure needs is there, a number, and possible (the metric catalogue's range). */
function takeInputs(structure: StructureHydraulics, observed: Observation): Inputs | Refusal {
  const gated = structure.kind === 'sluice' || structure.kind === 'radial'
  const openings = gated ? (observed.openings ?? []) : []
  if (gated && openings.length !== structure.leaves.length) {
    return refuse('no_value', `${structure.leaves.length} leaves, but ${openings.length} openings`)
  }
  if (gated && structure.leaves.length === 0) return refuse('out_of_range', 'the structure has no leaf')
  const needsDown = gated || (observed.down !== undefined && structure.kind !== 'channel' && structure.kind !== 'rated')
  const refusal =
    check('level_up', observed.up) ??
    (needsDown ? check('level_down', observed.down ?? null) : null) ??
    checkOpenings(openings) ??
    (Number.isFinite(structure.sill) ? null : refuse('not_a_number', `sill is ${structure.sill}`))
  if (refusal) return refusal
  const depth = (level: Metres | null): number => (level ?? Number.NaN) - structure.sill
  return {
    at: observed.at,
    up: depth(observed.up),
    down: needsDown ? depth(observed.down ?? null) : undefined,
    openings: openings.map((opening) => opening ?? Number.NaN),
  }
}

function checkOpenings(openings: readonly (Metres | null)[]): Refusal | null {
  for (const [i, opening] of openings.entries()) {
    const found = check('opening', opening, i + 1)
    if (found) return found
  }
  return null
}

function check(metric: 'level_up' | 'level_down' | 'opening', value: Metres | null, leaf?: number): Refusal | null {
  const known = metricOf(metric)
  const isPossible = value !== null && known !== undefined && value >= known.range[0] && value <= known.range[1]
  return isPossible ? null : refuseInput(metric, value, leaf === undefined ? '' : ` of leaf ${leaf}`)
}

function refuseInput(metric: 'level_up' | 'level_down' | 'opening', value: Metres | null, which: string): Refusal | null {
  if (value === null) return refuse('no_value', `${metric}${which} could not be taken`)
  if (!Number.isFinite(value)) return refuse('not_a_number', `${metric}${which} is ${value}`)
  const [lowest, highest] = metricOf(metric)?.range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  return value < lowest || value > highest ? refuse('out_of_range', `${metric}${which} is ${value} m`) : null
}

type Total = {
  readonly quality: 'good'
  readonly total: number
  readonly coefficientPlusMinus: number
  readonly parts: readonly Part[]
  /** What the method would give the other way round: no method is made for that, so it widens the uncertainty and is no flow. */
  readonly backwards: number
}

function discharge(structure: StructureHydraulics, inputs: Inputs): Total | Refusal {
  const forward = partsOf(structure, inputs)
  if ('quality' in forward) return forward
  const { factor = 1, uncertainty: calibrated } = structure.calibration ?? {}
  const parts = structure.calibration ? forward.map((part) => ({ ...part, flow: cubicMetresPerSecond(part.flow * factor) })) : forward
  let [total, coefficientPlusMinus] = [0, 0]
  for (const part of parts) {
    const own = part.coefficientUncertainty
    // A calibration says nothing of where the method itself fails.
    const relative = calibrated === undefined ? own : part.flags.includes('out_of_method_range') ? Math.max(own, calibrated) : calibrated
    total += part.flow
    coefficientPlusMinus += part.flow * relative
  }
  if (!Number.isFinite(total)) return refuse('out_of_range', 'the geometry and the levels give no finite discharge')
  return { quality: 'good', total, coefficientPlusMinus, parts, backwards: backwards(structure, inputs) * factor }
}

function backwards(structure: StructureHydraulics, inputs: Inputs): number {
  const { up, down } = inputs
  if (down === undefined || down <= up || down <= 0) return 0
  const swapped = partsOf(structure, { ...inputs, up: down, down: up })
  return 'quality' in swapped ? 0 : swapped.reduce((sum, part) => sum + part.flow, 0)
}

function partsOf(structure: StructureHydraulics, { at, up, down, openings }: Inputs): Part[] | Refusal {
  const heads = { up: metres(up), ...(down !== undefined && { down: metres(down) }) }
  switch (structure.kind) {
    case 'sluice':
      return eachLeaf(structure.leaves, openings, ({ width }, opening) =>
        sluiceGateDischarge({ width, opening, up: metres(up), down: metres(down ?? Number.NaN) }, structure.method ?? 'swamee'),
      )
    case 'radial':
      return eachLeaf(structure.leaves, openings, (leaf, opening) =>
        radialGateDischarge({ ...leaf, opening, up: metres(up), down: metres(down ?? Number.NaN) }),
      )
    case 'broad-crested':
      return alone(broadCrestedDischarge({ ...structure, ...heads }))
    case 'sharp-crested':
      return alone(sharpCrestedDischarge({ ...structure, ...heads }))
    case 'v-notch':
      return alone(vNotchDischarge(heads))
    case 'parshall':
      return alone(parshallDischarge({ throat: structure.throat, ...heads }))
    case 'channel':
      return alone(manningDischarge(structure.channel, metres(up)))
    case 'rated': {
      const rated = ratedFlow(structure.curves, metres(up + structure.sill), at)
      if (rated.quality === 'bad') return rated
      const { curve, shift, ...part } = rated
      return [{ ...part, rating: { curve, shift } }]
    }
  }
}

function eachLeaf<L>(leaves: readonly L[], openings: readonly number[], pass: (leaf: L, opening: Metres) => Discharge): Part[] | Refusal {
  const parts: Part[] = []
  for (const [i, leaf] of leaves.entries()) {
    const part = pass(leaf, metres(openings[i] ?? Number.NaN))
    if (part.quality === 'bad') return { ...part, detail: `leaf ${i + 1}: ${part.detail}` }
    parts.push(part)
  }
  return parts
}

const alone = (part: Discharge): Part[] | Refusal => (part.quality === 'bad' ? part : [part])

/** Each level is one input for all leaves, each opening one of its own. */
function inputUncertainty(structure: StructureHydraulics, inputs: Inputs, accuracy: Accuracy): number | null {
  const { up, down, openings } = inputs
  const model = (moved: readonly number[]): number | null => {
    const result = discharge(structure, {
      at: inputs.at,
      up: moved[0] ?? up,
      down: down === undefined ? undefined : (moved[1] ?? down),
      openings: moved.slice(2),
    })
    return result.quality === 'good' ? result.total : null
  }
  return propagate(model, [
    { value: up, plusMinus: accuracy.level },
    { value: down ?? 0, plusMinus: down === undefined ? 0 : accuracy.level },
    ...openings.map((value) => ({ value, plusMinus: accuracy.opening })),
  ])
}

/** Where the discharge does not depend on the water below, a small fall does no harm. */
function isLowDifferential({ up, down, openings }: Inputs, parts: readonly Part[]): boolean {
  if (down === undefined || Math.max(up, down) <= 0 || Math.abs(up - down) >= LOW_DIFFERENTIAL_HEAD_M) return false
  const open = openings.length === 0 || openings.some((opening) => opening > 0)
  return open && !parts.every((part) => part.regime === 'free')
}

function regimeOf(parts: readonly Part[]): Regime | 'mixed' {
  const passing = new Set(parts.filter((part) => part.flow > 0).map((part) => part.regime))
  const [only, ...others] = passing
  return only === undefined ? 'no-flow' : others.length > 0 ? 'mixed' : only
}
