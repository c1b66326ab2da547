import { type Alarm, type AlarmState, alarmState, PRIORITIES, type Priority } from '#contract/alarm.ts'

export type Shown = { readonly alarm: Alarm; readonly state: AlarmState }

const STATE_ORDER: Record<AlarmState, number> = {
  unacknowledged: 0,
  returned: 1,
  acknowledged: 2,
  suppressed: 3,
  shelved: 4,
  out_of_service: 5,
  normal: 6,
}

/** What an operator must look at first stands first: unacknowledged before all, then by priority, then the newest. */
export function inOrder(alarms: Iterable<Alarm>, now: number): Shown[] {
  const shown: Shown[] = []
  for (const alarm of alarms) {
    const state = alarmState(alarm, now)
    if (state !== 'normal') shown.push({ alarm, state })
  }
  return shown.sort(
    (a, b) =>
      STATE_ORDER[a.state] - STATE_ORDER[b.state] ||
      PRIORITIES.indexOf(a.alarm.priority) - PRIORITIES.indexOf(b.alarm.priority) ||
      (b.alarm.raised_at ?? 0) - (a.alarm.raised_at ?? 0) ||
      (a.alarm.id < b.alarm.id ? -1 : 1),
  )
}

export const isUnacknowledged = ({ state }: Shown): boolean => state === 'unacknowledged' || state === 'returned'

export type AlarmFilter = {
  /** A part of the gate's or site's name or id, or of what the alarm is. */
  readonly words: string
  /** Empty: whichever. */
  readonly area: string
  readonly priority: string
  readonly state: string
}

/** @param textOf where the alarm is and what it is, in the person's language */
export function matching(
  shown: readonly Shown[],
  { words, area, priority, state }: AlarmFilter,
  textOf: (alarm: Alarm) => string,
): Shown[] {
  const wanted = words.trim().toLowerCase()
  return shown.filter(
    ({ alarm, state: s }) =>
      (area === '' || alarm.area === area) &&
      (priority === '' || alarm.priority === priority) &&
      (state === '' || s === state) &&
      (wanted === '' || `${alarm.id} ${alarm.site ?? ''} ${textOf(alarm)}`.toLowerCase().includes(wanted)),
  )
}

/** Of each gate the most urgent alarm whose condition holds and that nobody has put out of sight, acknowledged or not. */
export function worstOfEachGate(shown: readonly Shown[]): ReadonlyMap<string, Alarm> {
  const worst = new Map<string, Alarm>()
  for (const { alarm, state } of shown) {
    if (alarm.gate === null || (state !== 'unacknowledged' && state !== 'acknowledged')) continue
    const known = worst.get(alarm.gate)
    if (!known || PRIORITIES.indexOf(alarm.priority) < PRIORITIES.indexOf(known.priority)) worst.set(alarm.gate, alarm)
  }
  return worst
}

export function countByPriority(shown: readonly Shown[]): Record<Priority, number> {
  const counts = { critical: 0, high: 0, medium: 0, low: 0 }
  for (const s of shown) if (isUnacknowledged(s)) counts[s.alarm.priority]++
  return counts
}

/**
 * The rows as they stood when a hand came to them, each with what has become of it: a list that moves on each second would put another alarm under the
 * click. What has come to the list since stands below them.
 * @param shown every alarm that is not normal, whatever is listed
 */
export function inHeldOrder(
  held: readonly Shown[],
  { listed, shown }: { readonly listed: readonly Shown[]; readonly shown: readonly Shown[] },
): { readonly rows: readonly Shown[]; readonly below: number } {
  const present = new Map(shown.map((s) => [s.alarm.id, s]))
  const stood = new Set(held.map((s) => s.alarm.id))
  const since = listed.filter((s) => !stood.has(s.alarm.id))
  const before = held.map(({ alarm }): Shown => present.get(alarm.id) ?? { alarm, state: 'normal' })
  return { rows: [...before, ...since], below: since.length }
}
