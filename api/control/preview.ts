import type { CommandAction } from '#contract/command.ts'
import type { Structure } from '#contract/district.ts'
import type { Preview } from '#contract/http/command.ts'
import type { Gate } from '#contract/http.ts'
import { judgeAge } from '#contract/live.ts'
import { openingOfLeaf } from '#contract/metrics.ts'
import { cubicMetresPerSecond, metres, type UnixMs } from '#contract/units.ts'
import { delay, levelChange, type Reach } from '#hydraulics/integrator-delay.ts'
import { gateFlow, openingFor } from '#hydraulics/sluice-gate.ts'

/** Of the method, relative, about 95 % (hydraulics/sluice-gate.ts). */
const METHOD_UNCERTAINTY = 0.15
/** Where a canal's section is not known: the velocity of the district's earth canals at design flow, m/s. */
const ASSUMED_VELOCITY_MS = 1.1
const LOOK_AHEAD_S = 6 * 3600
const LARGE_CHANGE = 0.1
const FREEBOARD_M = 0.2
const MOST_ARRIVALS = 8

const NOTHING_FORESEEN = { targets_m: null, flow_then_m3s: null, uncertainty: METHOD_UNCERTAINTY, arrivals: [], warnings: [] }

type Ground = {
  readonly gate: Pick<Gate, 'state' | 'stale_after_ms'>
  readonly now: UnixMs
  readonly structures: readonly Structure[]
  readonly isAutomatic: boolean
}

/** What a command will do to the water, as far as present readings and the integrator-delay model tell. Pure. */
export function preview(structure: Structure, action: CommandAction, ground: Ground): Preview {
  const read = (metric: string): number | null => {
    const { state, stale_after_ms } = ground.gate
    const value = state?.metrics[metric]
    if (!value) return null
    const reading = judgeAge(value, { now: ground.now, staleAfterMs: stale_after_ms, online: state.online })
    return reading.quality === 'good' ? reading.value : null
  }
  const openings = Array.from({ length: structure.leaves }, (_, i) => read(openingOfLeaf(i + 1)))
  const known = openings.every((o) => o !== null) ? openings : null
  const sill = structure.sill_m - structure.datum_m
  const [up, down] = [read('level_up'), read('level_down')]
  const water = up === null || down === null ? null : { up: up - sill, down: down - sill }
  const targets = targetsOf(structure, action, known, water)
  const flow_now_m3s = read('flow')
  const flow_then_m3s =
    action.kind === 'hold_flow' || action.kind === 'flow' ? action.flow_m3s : targets && water ? flowOf(structure, targets, water) : null
  const change = flow_then_m3s !== null && flow_now_m3s !== null ? flow_then_m3s - flow_now_m3s : 0
  const arrivals = change === 0 ? [] : arrivalsOf(structure, change, ground.structures)
  const warnings: Preview['warnings'] = []
  // What is ordered for later meets other water: nothing of now warns of it.
  if (action.kind === 'schedule') return { ...NOTHING_FORESEEN, openings_m: known, flow_now_m3s }
  if (known === null || water === null) warnings.push('sensors_unsound')
  if (flow_then_m3s !== null && flow_then_m3s > structure.design_flow_m3s) warnings.push('flow_above_design')
  if (flow_now_m3s !== null && Math.abs(change) > LARGE_CHANGE * Math.max(flow_now_m3s, 0.1)) warnings.push('flow_change_large')
  for (const a of arrivals) {
    const there = ground.structures.find((s) => s.id === a.structure)
    if (!there) continue
    // Without the present level there: the change alone, against the canal's freeboard.
    if (a.level_highest_m > FREEBOARD_M && !warnings.includes('level_above_design')) warnings.push('level_above_design')
    if (a.level_lowest_m < -FREEBOARD_M && !warnings.includes('level_below_design')) warnings.push('level_below_design')
  }
  if (ground.isAutomatic && action.kind !== 'stop') warnings.push('is_automatic')
  return { openings_m: known, targets_m: targets, flow_now_m3s, flow_then_m3s, uncertainty: METHOD_UNCERTAINTY, arrivals, warnings }
}

type Water = { readonly up: number; readonly down: number }

function targetsOf(s: Structure, action: CommandAction, openings: readonly number[] | null, water: Water | null): number[] | null {
  switch (action.kind) {
    case 'open':
      return openings?.map((o, i) => (action.leaf === null || action.leaf === i + 1 ? action.opening_m : o)) ?? null
    case 'flow': {
      if (!water) return null
      const highest = metres(s.leaf_height_m)
      const wanted = cubicMetresPerSecond(action.flow_m3s / s.leaves)
      return Array(s.leaves).fill(
        openingFor(wanted, { width: metres(s.leaf_width_m), up: metres(water.up), down: metres(water.down), highest }),
      )
    }
    case 'stop':
    case 'hold_flow':
    case 'hold_level':
    case 'manual':
    case 'schedule':
    case 'tag':
    case 'untag':
    case 'limits':
      return null
  }
}

function flowOf(s: Structure, openings: readonly number[], water: Water): number | null {
  let total = 0
  for (const opening of openings) {
    const leaf = gateFlow({ width: metres(s.leaf_width_m), opening: metres(opening), up: metres(water.up), down: metres(water.down) })
    if (leaf.regime === 'bad') return null
    total += leaf.flow
  }
  return total
}

/** The structures that lie below on the same canal, in the order in which the water reaches them. */
function arrivalsOf(from: Structure, flow_m3s: number, structures: readonly Structure[]): Preview['arrivals'] {
  const below = structures.filter((s) => s.canal === from.canal && s.chainage_km > from.chainage_km && s.id !== from.id)
  return below
    .sort((a, b) => a.chainage_km - b.chainage_km)
    .slice(0, MOST_ARRIVALS)
    .map((s) => {
      const reach = reachBetween(from, s)
      const { earliest_s, latest_s } = delay(reach)
      const { lowest_m, highest_m } = levelChange(reach, { flow_m3s, after_s: LOOK_AHEAD_S })
      return {
        structure: s.id,
        distance_km: s.chainage_km - from.chainage_km,
        earliest_min: earliest_s / 60,
        latest_min: latest_s / 60,
        level_lowest_m: lowest_m,
        level_highest_m: highest_m,
      }
    })
}

function reachBetween(from: Structure, to: Structure): Reach {
  const depth_m = Math.max(0.3, (from.design_level_down_m - from.sill_m + (to.design_level_up_m - to.sill_m)) / 2)
  const width_m = Math.max(1, from.design_flow_m3s / (ASSUMED_VELOCITY_MS * depth_m))
  return { length_m: (to.chainage_km - from.chainage_km) * 1000, depth_m, velocity_ms: ASSUMED_VELOCITY_MS, width_m }
}
