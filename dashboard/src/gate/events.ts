import { ALARM_KIND_NAMES, type AlarmKind } from '#contract/alarm.ts'
import type { JournalRow } from '#contract/http/alarm.ts'
import type { CommandView } from '#contract/http/command.ts'
import type { ShiftEntry } from '#contract/http/shift-log.ts'
import { HETAO_CALENDAR, periodAt } from '#contract/periods.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export const LOOKS = ['night', 'day', 'week'] as const
export type Look = (typeof LOOKS)[number]
export type Span = { readonly from: number; readonly to: number }

/** The last night is 18:00 to the water day's begin at 08:00; before that it is the one that still lasts. @param now ms since 1970 UTC */
export function spanOf(look: Look, now: number): Span {
  if (look !== 'night') return { from: now - (look === 'day' ? DAY_MS : 7 * DAY_MS), to: now }
  const morning = periodAt('day', now, HETAO_CALENDAR).from
  return now < morning + 10 * HOUR_MS ? { from: morning - 14 * HOUR_MS, to: morning } : { from: morning + 10 * HOUR_MS, to: now }
}

export type GateEvent = { readonly at: number; readonly key: string } & (
  | { readonly kind: 'alarm'; readonly row: JournalRow; readonly alarm: AlarmKind | undefined; readonly isOfSite: boolean }
  | { readonly kind: 'command'; readonly command: CommandView }
  | { readonly kind: 'entry'; readonly entry: ShiftEntry }
)

/** What happened at a gate, in one list, the newest first. */
export function eventsOf(
  found: { readonly journal: readonly JournalRow[]; readonly commands: readonly CommandView[]; readonly entries: readonly ShiftEntry[] },
  { span, gate }: { readonly span: Span; readonly gate: string },
): GateEvent[] {
  const events: GateEvent[] = [
    ...found.journal.map((row) => {
      const [kind = '', ...target] = row.alarm.split(':')
      return {
        kind: 'alarm' as const,
        at: row.at,
        key: `alarm ${row.id}`,
        row,
        alarm: ALARM_KIND_NAMES.find((k) => k === kind),
        isOfSite: target.join(':') !== gate,
      }
    }),
    ...found.commands.map((command) => ({ kind: 'command' as const, at: command.selected_at, key: `command ${command.id}`, command })),
    ...found.entries.map((entry) => ({ kind: 'entry' as const, at: entry.at, key: `entry ${entry.id}`, entry })),
  ]
  return events.filter(({ at }) => at >= span.from && at < span.to).sort((a, b) => b.at - a.at)
}
