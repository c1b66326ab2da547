import { ALARM_KINDS, type AlarmRule } from '#contract/alarm.ts'
import type { ConditionRow, JournalEntry } from '#registry/alarms.ts'
import { type Condition, holds, isActive, type Phase, type Stepped, untouched } from './evaluate.ts'
import type { Reference } from './look.ts'

/** One rule and where its alarm stands. */
export type Watch = {
  rule: AlarmRule
  condition: Condition
  suppressed: boolean
  raisedAt: number | null
  returnedAt: number | null
  reference: Reference | undefined
}

export const newWatch = (rule: AlarmRule): Watch => ({
  rule,
  condition: untouched(),
  suppressed: false,
  raisedAt: null,
  returnedAt: null,
  reference: undefined,
})

/** Takes up an alarm where the registry says it stood. Its value is the one of its last change: to keep each newer one would be a write a sample. */
export function restored(watch: Watch, row: ConditionRow): Watch {
  const { phase, sampleAt, occurrence, value, suppressed, raisedAt, returnedAt } = row
  const t = sampleAt ?? Number.NEGATIVE_INFINITY
  // What the clock tells is asked of it again: nobody knows what was heard meanwhile.
  const begun = phase === 'rising' && ALARM_KINDS[watch.rule.kind].form === 'told' ? 'normal' : phase
  return { ...watch, condition: { phase: phaseOf(begun, row), t, occurrence, value }, suppressed, raisedAt, returnedAt }
}

function phaseOf(at: ConditionRow['phase'], { since, clearSince }: ConditionRow): Phase {
  if (at === 'normal' || since === null) return { at: 'normal' }
  if (at === 'falling') return clearSince === null ? { at: 'active', since } : { at, since, clear: clearSince }
  return { at, since }
}

/** Takes what a step has made of the alarm. @returns what must be saved, or undefined where nothing of weight has changed. */
export function took(watch: Watch, stepped: Stepped): { row: ConditionRow; entries: JournalEntry[] } | undefined {
  const before = watch.condition.phase
  watch.condition = stepped.condition
  for (const transition of stepped.transitions) {
    if (transition.what === 'raised') watch.raisedAt = transition.at
    else watch.returnedAt = transition.at
  }
  const after = stepped.condition.phase
  if (before === after && stepped.transitions.length === 0) return undefined
  // A level that stays the same for a moment is nothing to keep: what a frozen sensor needs is hours.
  const pending = before.at !== 'active' && before.at !== 'falling' && !isActive(watch.condition)
  if (pending && stepped.transitions.length === 0 && ALARM_KINDS[watch.rule.kind].form === 'frozen') return undefined
  const { rule } = watch
  const entries = stepped.transitions.map(({ what, at, value, occurrence }): JournalEntry => {
    return { alarm: rule.id, area: rule.area, occurrence, event: what, at, who: '', note: watch.suppressed ? 'suppressed' : '', value }
  })
  return { row: rowOf(watch), entries }
}

export function rowOf({ rule, condition, suppressed, raisedAt, returnedAt }: Watch): ConditionRow {
  const { id, kind, area, site, gate, priority, limit } = rule
  const { phase, t, occurrence, value } = condition
  return {
    ...{ id, kind, area, site, gate, priority, limit, occurrence, value, suppressed, raisedAt, returnedAt },
    phase: phase.at,
    since: phase.at === 'normal' ? null : phase.since,
    clearSince: phase.at === 'falling' ? phase.clear : null,
    sampleAt: Number.isFinite(t) ? t : null,
  }
}

/** Out of its season, or switched off, nothing violates a rule. */
export const inForce = <L extends { t: number; violated: boolean }>(rule: AlarmRule, look: L): L =>
  look.violated && !holds(rule, look.t) ? { ...look, violated: false } : look
