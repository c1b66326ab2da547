import type { Command, CommandAction, PresetAction, Refusal, Tag } from '#contract/command.ts'
import type { ControlLimits } from '#contract/control-limits.ts'
import { openingForFlow } from './flow-opening.ts'
import { type LeafStep, planLeafSteps } from './leaf-steps.ts'
import { goodValue, type Measured, type Plant } from './plant.ts'
import type { StructureControl } from './settings.ts'

/** Whether a structure may be moved, and how. Pure: nothing is asked but what stands here. */
export type Situation = {
  /** The agent's clock, ms since 1970, and whether it may be believed. */
  readonly now: number
  readonly time: 'trusted' | 'untrusted'
  readonly plant: Plant
  /** The gatehouse's limits, made tighter by the center. */
  readonly limits: ControlLimits
  readonly control: StructureControl
  readonly tag: Tag | null
  readonly isBusy: boolean
  /** Of the last command seen; null before the first agreement with the center. */
  readonly counter: number | null
  /** Start times of each leaf's motor in the last hour, and of the last move. */
  readonly starts: readonly (readonly number[])[]
  readonly lastMove: number | null
  /** How far each pool has fallen within the last hour, m. */
  readonly fallen: { readonly up: number; readonly down: number }
}

export type MovePlan = { readonly targets: readonly number[]; readonly steps: readonly LeafStep[] }
export type Decision =
  | { readonly do: 'refuse'; readonly reason: Refusal }
  | { readonly do: 'stop' }
  | { readonly do: 'move'; readonly plan: MovePlan }
  /** Nothing moves now: a mode, tag, limit or schedule is set. */
  | { readonly do: 'set' }

/** Smallest move worth a start of the motor, m. */
export const LEAST_MOVE_M = 0.01
/** Ahead of our clock by more than the clocks may differ: made by a clock that is wrong. */
const MOST_AHEAD_MS = 30_000
const HOUR_MS = 3_600_000

const refuse = (reason: Refusal): Decision => ({ do: 'refuse', reason })

/** Judges a command whose signature is good. The order matters: what concerns safety of people stands before what concerns water. */
export function decide(command: Command, s: Situation): Decision {
  if (s.counter !== null && command.counter <= s.counter) return refuse('old_counter')
  if (command.action.kind === 'stop') return isLocal(s.plant) ? refuse('local') : { do: 'stop' }
  // Without an agreement the counter may be that of an old message, kept by someone.
  if (s.time === 'untrusted' || s.counter === null) return refuse('no_trusted_time')
  if (s.now >= command.expires || command.issued > s.now + MOST_AHEAD_MS) return refuse('expired')
  return decideAction(command.action, s)
}

/** Judges what is to be done, whoever ordered it: a command, a preset or an automatic mode. */
export function decideAction(action: Exclude<CommandAction, { kind: 'stop' }>, s: Situation): Decision {
  switch (action.kind) {
    case 'tag':
      return action.until > s.now ? { do: 'set' } : refuse('preset_in_past')
    case 'untag':
    case 'limits':
      return { do: 'set' }
    case 'manual':
      return s.tag ? refuse('tagged_out') : { do: 'set' }
    case 'schedule':
      if (s.tag) return refuse('tagged_out')
      // By its time a preset's end is told from another's; no center of ours sends two of one time.
      if (new Set(action.presets.map((p) => p.at)).size < action.presets.length) return refuse('malformed')
      return action.presets.every((p) => p.at > s.now) ? { do: 'set' } : refuse('preset_in_past')
    case 'open':
    case 'flow':
    case 'hold_flow':
    case 'hold_level':
      return decideMove(action, s)
  }
}

function decideMove(action: Extract<PresetAction, { kind: 'open' | 'flow' | 'hold_flow' | 'hold_level' }>, s: Situation): Decision {
  if (s.tag) return refuse('tagged_out')
  const unfit = unfitness(s)
  if (unfit) return refuse(unfit)
  switch (action.kind) {
    case 'hold_flow':
      return needLevels(s, () => (s.control.leaf_width_m === undefined ? refuse('not_configured') : { do: 'set' }))
    case 'hold_level': {
      const { lowest_m = Number.NEGATIVE_INFINITY, highest_m = Number.POSITIVE_INFINITY } = s.limits.level_up ?? {}
      if (action.level_up_m < lowest_m || action.level_up_m > highest_m) return refuse('outside_limits')
      return needLevels(s, () => ({ do: 'set' }))
    }
    case 'flow':
      return needLevels(s, () => {
        if (s.control.leaf_width_m === undefined) return refuse('not_configured')
        const highest_m = s.limits.highest_opening_m
        const opening = openingForFlow(s.plant, action.flow_m3s, { ...s.control, highest_m })
        return opening === null
          ? refuse('flow_out_of_reach')
          : planMove(
              s,
              s.plant.openings.map(() => opening),
            )
      })
    case 'open': {
      if (action.leaf !== null && action.leaf > s.plant.openings.length) return refuse('wrong_structure')
      const leaf = action.leaf
      return planMove(
        s,
        s.plant.openings.map((o, i) => (leaf === null || leaf === i + 1 ? action.opening_m : (goodValue(o) ?? 0))),
      )
    }
  }
}

/** What forbids every move now, whatever its target. */
export function unfitness({ plant, control, isBusy, limits }: Pick<Situation, 'plant' | 'control' | 'isBusy' | 'limits'>): Refusal | null {
  if (isLocal(plant)) return 'local'
  const fault = goodValue(plant.fault)
  if (fault !== null && hasFault(fault, control.fault_mask)) return 'fault'
  if (isBusy) return 'busy'
  const levels = [limits.level_up && plant.level_up, limits.level_down && plant.level_down].filter((m) => m !== undefined)
  return unsound([plant.mode, plant.fault, ...plant.openings, ...levels])
}

export const isLocal = (plant: Plant): boolean => plant.mode.kind === 'good' && plant.mode.value === 0

/** Bit operators of JavaScript are signed: the highest bit of the mask would be lost. */
export const hasFault = (fault: number, mask: number): boolean => (BigInt(Math.trunc(fault)) & BigInt(mask)) !== 0n

/** @returns why these values are no ground to move on, or null. */
export function unsound(values: readonly Measured[]): 'sensor_bad' | 'sensor_stale' | null {
  if (values.some((m) => m.kind === 'bad')) return 'sensor_bad'
  return values.some((m) => m.kind === 'stale') ? 'sensor_stale' : null
}

function needLevels(s: Situation, then: () => Decision): Decision {
  const reason = unsound([s.plant.level_up, s.plant.level_down])
  return reason ? refuse(reason) : then()
}

/** The leaves' ways to these targets, or the limit that forbids them. */
export function planMove(s: Situation, targets: readonly number[]): Decision {
  const { limits } = s
  const openings = s.plant.openings.map((o) => goodValue(o) ?? Number.NaN)
  const changed = targets.map((t, i) => Math.abs(t - (openings[i] ?? t)) >= LEAST_MOVE_M)
  const beyond = targets.some((t, i) => changed[i] && (t < limits.lowest_opening_m || t > limits.highest_opening_m))
  if (beyond) return refuse('outside_limits')
  if (targets.some((t, i) => changed[i] && Math.abs(t - (openings[i] ?? t)) > limits.max_step_m + 1e-9)) return refuse('step_too_long')
  const steps = planLeafSteps(openings, targets, { maxDifference: limits.max_difference_m, leastMove: LEAST_MOVE_M })
  if (!steps) return refuse('leaf_difference')
  if (steps.length === 0) return { do: 'move', plan: { targets, steps } }
  if (s.lastMove !== null && s.now - s.lastMove < limits.min_interval_s * 1000) return refuse('too_soon')
  if (exceedsStarts(s, steps)) return refuse('too_many_starts')
  const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0)
  const water = waterRefusal(s, sum(targets) > sum(openings) ? 'more' : 'less')
  return water ? refuse(water) : { do: 'move', plan: { targets, steps } }
}

export function exceedsStarts({ starts, now, limits }: Pick<Situation, 'starts' | 'now' | 'limits'>, steps: readonly LeafStep[]): boolean {
  return starts.some((times, leaf) => {
    const recent = times.filter((t) => now - t < HOUR_MS).length
    const wanted = steps.filter((step) => step.leaf === leaf).length
    return wanted > 0 && recent + wanted > limits.max_starts_per_h
  })
}

/** More opening draws the upper pool down and fills the lower; less does the opposite. @returns the limit that this would go further beyond. */
export function waterRefusal(
  { plant, limits, fallen }: Pick<Situation, 'plant' | 'limits' | 'fallen'>,
  change: 'more' | 'less',
): 'level_up_limit' | 'level_down_limit' | 'drawdown' | null {
  const [up, down] = [goodValue(plant.level_up), goodValue(plant.level_down)]
  const [upper, lower] = [limits.level_up ?? {}, limits.level_down ?? {}]
  const below = (level: number | null, lowest: number | undefined): boolean => lowest !== undefined && level !== null && level <= lowest
  const above = (level: number | null, highest: number | undefined): boolean => highest !== undefined && level !== null && level >= highest
  if (change === 'more' ? below(up, upper.lowest_m) : above(up, upper.highest_m)) return 'level_up_limit'
  if (change === 'more' ? above(down, lower.highest_m) : below(down, lower.lowest_m)) return 'level_down_limit'
  return (change === 'more' ? fallen.up : fallen.down) >= limits.drawdown_m_per_h ? 'drawdown' : null
}
