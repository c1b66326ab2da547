import type { Structure } from '#contract/district.ts'
import type { FlowFormula, FlowMethod } from '#contract/flow-method.ts'
import { cubicMetresPerSecond, metres, unixMs } from '#contract/units.ts'
import { PARSHALL_SIZES, type ParshallThroat } from './flume.ts'
import type { RatingCurve } from './rating-curve.ts'
import type { StructureHydraulics } from './structure-flow.ts'

/** What the district's table and the method in force make of a structure. @throws RangeError for a flume of no known size */
export function hydraulicsOf(structure: Structure, method: FlowMethod): StructureHydraulics {
  const { factor, uncertainty, formula, sill_m = structure.sill_m } = method
  // Levels are above the structure's datum, the sill is an elevation.
  const sill = metres(sill_m - structure.datum_m)
  const own = 0.15
  const calibrated = uncertainty !== null || factor !== 1
  return { ...geometryOf(structure, formula), sill, ...(calibrated && { calibration: { factor, uncertainty: uncertainty ?? own } }) }
}

type Geometry = StructureHydraulics extends infer S ? (S extends unknown ? Omit<S, 'sill' | 'calibration' | 'accuracy'> : never) : never

function geometryOf(structure: Structure, formula: FlowFormula): Geometry {
  const leaves = <L>(leaf: L): L[] => Array.from({ length: structure.leaves }, () => leaf)
  const width = metres(structure.leaf_width_m)
  switch (formula.kind) {
    case 'sluice':
      return { kind: 'sluice', method: formula.method, leaves: leaves({ width }) }
    case 'radial': {
      const { trunnion_height_m, coefficient } = formula
      return {
        kind: 'radial',
        leaves: leaves({ width, trunnionHeight: metres(trunnion_height_m), ...(coefficient !== undefined && { coefficient }) }),
      }
    }
    case 'broad-crested': {
      const { width_m, crest_length_m, coefficient } = formula
      const length = crest_length_m === undefined ? {} : { crestLength: metres(crest_length_m) }
      return { kind: 'broad-crested', width: metres(width_m), ...length, ...(coefficient !== undefined && { coefficient }) }
    }
    case 'sharp-crested':
      return { kind: 'sharp-crested', width: metres(formula.width_m), crestHeight: metres(formula.crest_height_m) }
    case 'v-notch':
      return { kind: 'v-notch' }
    case 'parshall':
      if (!isThroat(formula.throat)) throw new RangeError(`there is no Parshall flume of throat ${formula.throat}`)
      return { kind: 'parshall', throat: formula.throat }
    case 'channel': {
      const { bed_width_m, side_slope, slope, roughness } = formula
      return { kind: 'channel', channel: { bedWidth: metres(bed_width_m), sideSlope: side_slope, slope, roughness } }
    }
    case 'rated':
      return { kind: 'rated', curves: formula.curves.map(curveOf) }
  }
}

export const isThroat = (text: string): text is ParshallThroat => Object.hasOwn(PARSHALL_SIZES, text)

function curveOf({ shape, shifts, from, to, ...curve }: Extract<FlowFormula, { kind: 'rated' }>['curves'][number]): RatingCurve {
  return {
    ...curve,
    from: unixMs(from),
    to: to === null ? null : unixMs(to),
    shape:
      shape.kind === 'table'
        ? { kind: 'table', points: shape.points.map((p) => ({ level: metres(p.level_m), flow: cubicMetresPerSecond(p.flow_m3s) })) }
        : {
            kind: 'formula',
            coefficient: shape.coefficient,
            zeroFlowLevel: metres(shape.zero_flow_level_m),
            exponent: shape.exponent,
            lowest: metres(shape.lowest_m),
            highest: metres(shape.highest_m),
          },
    ...(shifts && { shifts: shifts.map((s) => ({ from: unixMs(s.from), shift: metres(s.shift_m) })) }),
  }
}
