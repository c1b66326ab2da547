import type { ControlMode, Refusal } from '#contract/command.ts'
import type { ControlLimits } from '#contract/control-limits.ts'
import { flowAt, flowNow, openingForFlow } from '../command/flow-opening.ts'
import { goodValue, type Plant } from '../command/plant.ts'
import type { StructureControl } from '../command/settings.ts'

/** What an automatic mode wants now: pure. It proposes; whether the leaves may move is judged like any command. */
export type Proposal =
  | { readonly do: 'rest' }
  | { readonly do: 'wait'; readonly reason: Refusal }
  | { readonly do: 'move'; readonly targets: readonly number[] }

type Ground = { readonly plant: Plant; readonly control: StructureControl; readonly limits: ControlLimits }

export function propose(mode: ControlMode, ground: Ground): Proposal {
  switch (mode.kind) {
    case 'manual':
      return { do: 'rest' }
    case 'hold_flow':
      return holdFlow(mode.flow_m3s, ground)
    case 'hold_level':
      return holdLevel(mode.level_up_m, ground)
  }
}

function holdFlow(wanted_m3s: number, { plant, control, limits }: Ground): Proposal {
  const flow = flowNow(plant, control)
  if (flow === null) return { do: 'wait', reason: 'sensor_bad' }
  const error = wanted_m3s - flow
  if (Math.abs(error) <= control.flow_deadband * Math.max(wanted_m3s, 0.1)) return { do: 'rest' }
  // A change of flow is made in steps, so that no wave runs down the canal; the first step begins from what flows now: bumpless.
  const most = control.automatic_step * Math.max(wanted_m3s, flow, 0.1)
  const next = flow + Math.max(-most, Math.min(most, error))
  const opening = openingForFlow(plant, next, { ...control, highest_m: limits.highest_opening_m })
  if (opening === null) return { do: 'wait', reason: 'flow_out_of_reach' }
  // The method may be off by some per cent: what the present openings pass by the meter, beside what they pass by the method, corrects it.
  const openings = plant.openings.map((o) => goodValue(o) ?? opening)
  const computed = flowAt(plant, openings, control)
  const factor = computed !== null && computed > 0.05 && flow > 0.05 ? Math.max(0.5, Math.min(2, computed / flow)) : 1
  const corrected = openingForFlow(plant, next * factor, { ...control, highest_m: limits.highest_opening_m }) ?? opening
  return { do: 'move', targets: bounded(plant, corrected, limits) }
}

function holdLevel(wanted_m: number, { plant, control, limits }: Ground): Proposal {
  const level = goodValue(plant.level_up)
  if (level === null) return { do: 'wait', reason: 'sensor_bad' }
  const error = level - wanted_m
  if (Math.abs(error) <= control.level_deadband_m) return { do: 'rest' }
  const openings = plant.openings.map((o) => goodValue(o) ?? 0)
  const mean = openings.reduce((a, b) => a + b, 0) / openings.length
  // Proportional to the deviation, at most automatic_step of the opening: more water in the upper pool opens the leaves.
  const share = Math.max(-control.automatic_step, Math.min(control.automatic_step, (error / 0.1) * control.level_gain))
  return { do: 'move', targets: bounded(plant, mean + Math.sign(error) * Math.max(Math.abs(mean * share), 0.02), limits) }
}

/** The same opening for every leaf, within the limits, and no further than a step from where each stands. */
function bounded(plant: Plant, opening: number, limits: ControlLimits): number[] {
  return plant.openings.map((o) => {
    const at = goodValue(o) ?? opening
    const step = Math.max(-limits.max_step_m, Math.min(limits.max_step_m, opening - at))
    return Math.max(limits.lowest_opening_m, Math.min(limits.highest_opening_m, at + step))
  })
}
