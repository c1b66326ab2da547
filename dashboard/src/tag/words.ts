import type { LockoutView } from '#contract/http/command.ts'
import { momentText } from '../display/time.ts'
import { useText } from '../i18n/i18n.ts'
import { useGates } from '../live/gates.ts'

/** `18:00` of today, else with the day: seconds are not what a tag is about. */
const toMinute = (t: number, now: number): string => momentText(t, now).slice(0, -3)

/** A tag in words: who, why, since when and until when. */
export function useTagWords() {
  const { say } = useText()
  const gates = useGates()
  return {
    line: ({ reason, by_name: by, at, until }: LockoutView): string =>
      say('tag.line', { reason, by, at: toMinute(at, gates.now), until: toMinute(until, gates.now) }),
    until: ({ until }: Pick<LockoutView, 'until'>): string => say('tag.until', { until: toMinute(until, gates.now) }),
  }
}
