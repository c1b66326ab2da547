import type { Verdict } from '#contract/verdict.ts'
import type { VerdictRule } from '#contract/verdict-rule.ts'

type Point = { readonly t: number; readonly value: number }

/** What a good sample is judged beside, as far as its rule asks for it. */
export type Beside = {
  /** The last one before it that is not unreliable. */
  readonly before?: Point | undefined
  /** The next one, where it is here already. */
  readonly after?: Point | undefined
  /** Since when its value has not changed by one digit. */
  readonly sameSince?: number | undefined
  /** Of a measured flow: what the structure's method says at that time, with its half-width. */
  readonly derived?: { readonly value: number; readonly plusMinus: number } | undefined
  /** The neighbour's value at that time, brought to this gate's datum. */
  readonly neighbour?: number | undefined
  /** Month of local time, 1 … 12. */
  readonly month?: number | undefined
}

const MINUTE_MS = 60_000

/** Whether a good sample can be believed: the gravest cause first. Undefined is reliable. Pure. */
export function judge({ t, value }: Point, rule: VerdictRule, beside: Beside): Verdict | undefined {
  if (rule.hard && !within(value, rule.hard)) return { level: 'unreliable', cause: 'hard_limit' }
  if (isSpike(value, rule, beside)) return { level: 'unreliable', cause: 'spike' }
  const soft = rule.soft_by_month?.[String(beside.month)] ?? rule.soft
  if (soft && !within(value, soft)) return { level: 'doubtful', cause: 'soft_limit' }
  const { before, derived, neighbour, sameSince } = beside
  if (before && t > before.t) {
    // Two readings of one minute: a float's last digit is no rate.
    const minutes = Math.max(1, (t - before.t) / MINUTE_MS)
    const rate = (value - before.value) / minutes
    if (rule.rise_per_min !== undefined && rate > rule.rise_per_min) return { level: 'doubtful', cause: 'rate_of_rise' }
    if (rule.fall_per_min !== undefined && -rate > rule.fall_per_min) return { level: 'doubtful', cause: 'rate_of_fall' }
  }
  if (rule.frozen_min !== undefined && sameSince !== undefined && t - sameSince >= rule.frozen_min * MINUTE_MS) {
    return { level: 'doubtful', cause: 'frozen' }
  }
  if (rule.derived_share !== undefined && derived) {
    const allowed = Math.max(derived.plusMinus, rule.derived_share * Math.abs(derived.value))
    if (Math.abs(value - derived.value) > allowed) return { level: 'doubtful', cause: 'derived_flow' }
  }
  if (rule.neighbour && neighbour !== undefined && Math.abs(value - neighbour) > rule.neighbour.most) {
    return { level: 'doubtful', cause: 'neighbour' }
  }
  return undefined
}

const within = (value: number, [lowest, highest]: readonly [number, number]): boolean => value >= lowest && value <= highest

/** Far from both its neighbours on the same side, while these agree. It can be told only when the next one is here. */
function isSpike(value: number, { spike }: VerdictRule, { before, after }: Beside): boolean {
  if (spike === undefined || !before || !after) return false
  const [rise, fall] = [value - before.value, value - after.value]
  return (
    Math.min(Math.abs(rise), Math.abs(fall)) > spike &&
    Math.sign(rise) === Math.sign(fall) &&
    Math.abs(before.value - after.value) <= spike / 2
  )
}
