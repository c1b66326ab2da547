import { cubicMetresPerSecond, metres } from '#contract/units.ts'
import { gateFlow, openingFor } from '#hydraulics/sluice-gate.ts'
import { goodValue, type Plant } from './plant.ts'
import type { StructureControl } from './settings.ts'

type Geometry = Pick<StructureControl, 'leaf_width_m' | 'sill_m'>

/** What the structure passes, m³/s: the meter's word, else computed from levels and openings; null where neither is known. */
export function flowNow(plant: Plant, geometry: Geometry): number | null {
  const metered = goodValue(plant.flow)
  if (metered !== null && Number.isFinite(metered)) return metered
  const openings = plant.openings.map(goodValue)
  return openings.every((o) => o !== null) ? flowAt(plant, openings, geometry) : null
}

/** What these openings would pass under the present levels, m³/s. */
export function flowAt(plant: Plant, openings: readonly number[], { leaf_width_m, sill_m }: Geometry): number | null {
  const [up, down] = [goodValue(plant.level_up), goodValue(plant.level_down)]
  if (up === null || down === null || leaf_width_m === undefined) return null
  let total = 0
  for (const opening of openings) {
    const leaf = gateFlow({ width: metres(leaf_width_m), opening: metres(opening), up: metres(up - sill_m), down: metres(down - sill_m) })
    if (leaf.regime === 'bad') return null
    total += leaf.flow
  }
  return total
}

/** The one opening of all leaves that passes `wanted_m3s`, at most `highest_m`; null where it can't be known or reached. */
export function openingForFlow(plant: Plant, wanted_m3s: number, geometry: Geometry & { highest_m: number }): number | null {
  const [up, down] = [goodValue(plant.level_up), goodValue(plant.level_down)]
  const { leaf_width_m, sill_m, highest_m } = geometry
  if (up === null || down === null || leaf_width_m === undefined) return null
  if (wanted_m3s <= 0) return 0
  const leaves = plant.openings.length
  const opening = openingFor(cubicMetresPerSecond(wanted_m3s / leaves), {
    width: metres(leaf_width_m),
    up: metres(up - sill_m),
    down: metres(down - sill_m),
    highest: metres(highest_m),
  })
  const passes = flowAt(plant, Array(leaves).fill(opening), geometry)
  // The method's own step is far below this; a flow that the highest opening does not pass differs by more.
  return passes !== null && Math.abs(passes - wanted_m3s) <= Math.max(0.01, 0.005 * wanted_m3s) ? opening : null
}
