import { type Alarm, alarmState, PRIORITIES, type Priority } from '#contract/alarm.ts'
import type { RecentMessage, Told } from '#registry/notifications.ts'
import type { NotifySettings, Route } from './settings.ts'

/** What is to be told to one receiver in one step (0 is the first telling). */
export type Telling = { readonly receiver: string; readonly step: number; readonly alarms: Alarm[] }

const MINUTE_MS = 60_000
const DAY_MIN = 1440

const rank = (priority: Priority): number => PRIORITIES.indexOf(priority)
export const mostUrgent = (priorities: readonly Priority[]): Priority =>
  priorities.reduce((a, b) => (rank(b) < rank(a) ? b : a), PRIORITIES[PRIORITIES.length - 1] ?? 'low')

/** Is `now` in the route's shift? From the start up to the end, which may lie after midnight; without a shift, always. */
export function inShift({ shift }: Pick<Route, 'shift'>, now: number, utcOffsetMin: number): boolean {
  if (!shift) return true
  const minuteOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3))
  const [from, to] = [minuteOf(shift.from), minuteOf(shift.to)]
  const minute = (((Math.floor(now / MINUTE_MS) + utcOffsetMin) % DAY_MIN) + DAY_MIN) % DAY_MIN
  return from < to ? minute >= from && minute < to : minute >= from || minute < to
}

const takes = (route: Pick<Route, 'areas' | 'priority'>, alarm: Pick<Alarm, 'area' | 'priority'>): boolean =>
  rank(alarm.priority) <= rank(route.priority) && (route.areas.length === 0 || alarm.area === null || route.areas.includes(alarm.area))

/**
 * What nobody has acknowledged and some receiver has not been told. An alarm that has returned is told and escalated too, since nobody
 * has seen it; one that is shelved, suppressed or out of service is not.
 */
export function dueTellings(
  { routes, utc_offset_min }: Pick<NotifySettings, 'routes' | 'utc_offset_min'>,
  known: { readonly alarms: readonly Alarm[]; readonly told: readonly Told[] },
  now: number,
): Telling[] {
  const told = new Map(known.told.map((t) => [keyOf(t.alarm, t.occurrence, t), t.at]))
  const tellings = new Map<string, Telling & { readonly ids: Set<string> }>()
  const add = (receiver: string, step: number, alarm: Alarm): void => {
    if (told.has(keyOf(alarm.id, alarm.occurrence, { receiver, step }))) return
    const key = `${step} ${receiver}`
    const telling = tellings.get(key) ?? { receiver, step, alarms: [], ids: new Set() }
    tellings.set(key, telling)
    if (telling.ids.has(alarm.id)) return
    telling.ids.add(alarm.id)
    telling.alarms.push(alarm)
  }
  const open = known.alarms.filter((a) => ['unacknowledged', 'returned'].includes(alarmState(a, now)))
  for (const route of routes) {
    const isNow = inShift(route, now, utc_offset_min)
    for (const alarm of open) {
      if (!takes(route, alarm)) continue
      if (isNow) for (const receiver of route.to) add(receiver, 0, alarm)
      const first = route.to.flatMap((receiver) => told.get(keyOf(alarm.id, alarm.occurrence, { receiver, step: 0 })) ?? [])
      if (first.length === 0) continue
      for (const [i, { after_min, to }] of route.escalate.entries())
        if (Math.min(...first) + after_min * MINUTE_MS <= now) for (const receiver of to) add(receiver, i + 1, alarm)
    }
  }
  return [...tellings.values()].map(({ receiver, step, alarms }) => ({ receiver, step, alarms }))
}

const keyOf = (alarm: string, occurrence: number, { receiver, step }: { receiver: string; step: number }): string =>
  `${occurrence} ${step} ${alarm} ${receiver}`

/** May the receiver get another message already? One at a time; and soon after another only what is more urgent. */
export function mayFollow({ receiver, step, alarms }: Telling, recent: readonly RecentMessage[]): boolean {
  const before = recent.filter((m) => m.receiver === receiver && m.step === step)
  if (before.some((m) => m.state === 'waiting')) return false
  return before.every((m) => rank(mostUrgent(alarms.map((a) => a.priority))) < rank(m.priority))
}
