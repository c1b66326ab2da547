import type { Structure } from '#contract/district.ts'
import type { LeafReading } from '../situation/openings.ts'

/** Where things stand in the drawing, in its own units (px of the view box); y grows downwards. */
export type Section = {
  readonly width: number
  readonly height: number
  readonly bed: number
  readonly sill: number
  readonly up: WaterBody
  readonly down: WaterBody
  readonly bays: readonly Bay[]
  readonly baysFrom: number
  readonly baysTo: number
  /** Whether there is room to write under each bay. */
  readonly lettered: boolean
}
export type WaterBody = {
  readonly x: number
  readonly width: number
  /** Surface, or null when the level is not known. */
  readonly y: number | null
  readonly designY: number
  /** Metres above the datum of the elevations. */
  readonly elevation: number | null
  readonly stale: boolean
}
export type Bay = {
  readonly leaf: number
  readonly x: number
  readonly width: number
  /** Lower and upper edge of the leaf, or null when its opening is not known. */
  readonly gate: { readonly top: number; readonly bottom: number } | null
  readonly stale: boolean
}
export type LevelReading = { readonly value: number; readonly stale: boolean } | null

export type SectionInput = {
  readonly structure: Pick<Structure, 'leaves' | 'leaf_height_m' | 'sill_m' | 'datum_m' | 'design_level_up_m' | 'design_level_down_m'>
  readonly up: LevelReading
  readonly down: LevelReading
  readonly leaves: readonly LeafReading[]
}

const WIDTH = 720
const HEIGHT = 300
const TOP = 16
const BED_PX = 22
const PIER_PX = 6
const MOST_LETTERED = 9

/** Lays out a structure: the water on both sides, and between them every bay with its leaf, drawn as high as it is open. */
export function layOutSection({ structure, up, down, leaves }: SectionInput): Section {
  const elevationOf = (reading: LevelReading): number | null => (reading === null ? null : structure.datum_m + reading.value)
  const [upElevation, downElevation] = [elevationOf(up), elevationOf(down)]
  const shown = [structure.design_level_up_m, structure.design_level_down_m, structure.sill_m + structure.leaf_height_m]
  for (const elevation of [upElevation, downElevation]) if (elevation !== null) shown.push(elevation)
  const bottom = Math.min(structure.sill_m, ...shown)
  const top = Math.max(...shown) + 0.25 * (Math.max(...shown) - bottom)
  const floor = HEIGHT - BED_PX
  const y = (elevation: number): number => floor - ((elevation - bottom) / (top - bottom)) * (floor - TOP)
  const clamp = (v: number): number => Math.min(floor, Math.max(TOP, v))

  const many = structure.leaves > MOST_LETTERED
  const [from, to] = many ? [190, 530] : [230, 490]
  const pitch = (to - from) / structure.leaves
  const water = (x: number, width: number, design: number, side: { reading: LevelReading; elevation: number | null }): WaterBody => ({
    x,
    width,
    y: side.elevation === null ? null : clamp(y(side.elevation)),
    designY: clamp(y(design)),
    elevation: side.elevation,
    stale: side.reading?.stale ?? false,
  })
  return {
    width: WIDTH,
    height: HEIGHT,
    bed: floor,
    sill: clamp(y(structure.sill_m)),
    up: water(0, from, structure.design_level_up_m, { reading: up, elevation: upElevation }),
    down: water(to, WIDTH - to, structure.design_level_down_m, { reading: down, elevation: downElevation }),
    baysFrom: from,
    baysTo: to,
    lettered: !many,
    bays: leaves.map(({ leaf, reading }) => {
      const known = reading !== undefined && reading.quality !== 'bad'
      const bay = { leaf, x: from + (leaf - 1) * pitch + PIER_PX / 2, width: pitch - PIER_PX }
      if (!known) return { ...bay, gate: null, stale: false }
      const lower = structure.sill_m + Math.max(0, reading.value)
      const gate = { bottom: clamp(y(lower)), top: clamp(y(lower + structure.leaf_height_m)) }
      return { ...bay, gate, stale: reading.quality === 'stale' }
    }),
  }
}
