import { ALARM_KINDS, type AlarmRule } from '#contract/alarm.ts'
import { monthOf } from '#contract/periods.ts'

/** Where the condition of one alarm stands. What operators do with it (acknowledge, shelve) is kept apart: neither overwrites the other. */
export type Phase =
  | { readonly at: 'normal' }
  /** Violated since then, not yet for as long as the on-delay asks. */
  | { readonly at: 'rising'; readonly since: number }
  | { readonly at: 'active'; readonly since: number }
  /** Active since `since`, back in bounds since `clear`, not yet for as long as the off-delay asks. */
  | { readonly at: 'falling'; readonly since: number; readonly clear: number }

export type Condition = {
  readonly phase: Phase
  /** Source time of the last sample that was looked at, ms since 1970 UTC; older ones are history. */
  readonly t: number
  /** How often it has been raised. */
  readonly occurrence: number
  readonly value: number | null
}
export type Transition = {
  readonly what: 'raised' | 'returned'
  readonly at: number
  readonly value: number | null
  readonly occurrence: number
}
type Delays = Pick<AlarmRule, 'delay_on_ms' | 'delay_off_ms'>
export type Stepped = { readonly condition: Condition; readonly transitions: readonly Transition[] }

/** Most looks change nothing: they share it. */
const NOTHING: readonly Transition[] = []

export const untouched = (): Condition => ({ phase: { at: 'normal' }, t: Number.NEGATIVE_INFINITY, occurrence: 0, value: null })

export const isActive = ({ phase }: Pick<Condition, 'phase'>): boolean => phase.at === 'active' || phase.at === 'falling'

/** Is it active when a sample of `t` (ms since 1970 UTC) comes? A delay that runs out until then counts: the clock may not have told of it yet. */
export function isActiveAt(rule: Delays, { phase }: Condition, t: number): boolean {
  if (phase.at === 'rising') return phase.since + rule.delay_on_ms <= t
  if (phase.at === 'falling') return t < phase.clear + rule.delay_off_ms
  return phase.at === 'active'
}

/** Is `value` beyond the rule's limit? Once active, it must come back by the deadband. */
export function violates(rule: Pick<AlarmRule, 'kind' | 'limit' | 'deadband'>, value: number, active: boolean): boolean {
  if (rule.limit === null) return false
  const slack = active ? rule.deadband : 0
  switch (ALARM_KINDS[rule.kind].form) {
    case 'above':
    case 'rate':
      return value > rule.limit - slack
    case 'below':
      return value < rule.limit + slack
    default:
      return false
  }
}

/** What the passing of time alone does: a delay that runs out. The last thing known holds until then. */
export function advance(rule: Delays, condition: Condition, now: number): Stepped {
  const { phase, occurrence, value } = condition
  if (phase.at === 'rising' && phase.since + rule.delay_on_ms <= now) {
    const at = phase.since + rule.delay_on_ms
    const raised = { ...condition, phase: { at: 'active', since: at }, occurrence: occurrence + 1 } as const
    return { condition: raised, transitions: [{ what: 'raised', at, value, occurrence: occurrence + 1 }] }
  }
  if (phase.at === 'falling' && phase.clear + rule.delay_off_ms <= now) {
    const at = phase.clear + rule.delay_off_ms
    return { condition: { ...condition, phase: { at: 'normal' } }, transitions: [{ what: 'returned', at, value, occurrence }] }
  }
  return { condition, transitions: NOTHING }
}

/** A look at the process at `t`. One that is not newer than the last changes nothing: so a batch that comes twice raises once. */
export function step(rule: Delays, condition: Condition, look: { t: number; violated: boolean; value: number | null }): Stepped {
  const { t, violated, value } = look
  if (t <= condition.t) return { condition, transitions: NOTHING }
  const before = advance(rule, condition, t)
  const { phase, occurrence } = before.condition
  // Field by field: this is done for every value of every rule, and a spread takes most of the time.
  const after = advance(rule, { phase: turned(phase, violated, t), t, occurrence, value }, t)
  if (before.transitions.length === 0) return after
  return { condition: after.condition, transitions: [...before.transitions, ...after.transitions] }
}

function turned(phase: Phase, violated: boolean, t: number): Phase {
  switch (phase.at) {
    case 'normal':
      return violated ? { at: 'rising', since: t } : phase
    case 'rising':
      return violated ? phase : { at: 'normal' }
    case 'active':
      return violated ? phase : { at: 'falling', since: phase.since, clear: t }
    case 'falling':
      return violated ? { at: 'active', since: phase.since } : phase
  }
}

/** Does the rule hold at `t`? Out of its season, or switched off, it never does. */
export const holds = (rule: Pick<AlarmRule, 'enabled' | 'months'>, t: number): boolean =>
  rule.enabled && (rule.months === null || rule.months.includes(monthOf(t)))
