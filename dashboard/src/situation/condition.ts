import { judgeAge, type LiveState } from '#contract/live.ts'
import type { BadReason, Reading } from '#contract/reading.ts'
import type { UnixMs } from '#contract/units.ts'

/** What a gate is in, the worst first. A gate is in the first that holds. */
export const CONDITIONS = ['fault', 'offline', 'bad', 'stale', 'no_data', 'normal'] as const
export type Condition = (typeof CONDITIONS)[number]
export const severityOf = (condition: Condition): number => CONDITIONS.indexOf(condition)

/** How a gate stands, and why. */
export type Verdict =
  | { readonly condition: 'normal'; readonly newest: number }
  | { readonly condition: 'fault'; readonly newest: number; readonly word: number }
  | { readonly condition: 'offline'; readonly newest: number | null }
  | { readonly condition: 'bad'; readonly newest: number; readonly metric: string; readonly reason: BadReason; readonly count: number }
  | { readonly condition: 'stale'; readonly newest: number; readonly metric: string; readonly oldest: number; readonly count: number }
  | { readonly condition: 'no_data'; readonly newest: null }

/** The reading of one metric as it is to be believed now, or undefined when nothing has come. */
export function readingNow(state: LiveState | null, metric: string, options: { now: UnixMs; staleAfterMs: number }): Reading | undefined {
  const value = state?.metrics[metric]
  return value && state ? judgeAge(value, { ...options, online: state.online }) : undefined
}

/** Judges a gate by all its metrics. `newest` is the source time of the youngest value. */
export function judgeGate(state: LiveState | null, options: { now: UnixMs; staleAfterMs: number }): Verdict {
  if (state === null) return { condition: 'no_data', newest: null }
  let newest: number | null = null
  let fault = 0
  let [badCount, staleCount] = [0, 0]
  let [badMetric, staleMetric] = ['', '']
  let oldest = Number.POSITIVE_INFINITY
  let badReason: BadReason = 'no_value'
  for (const [metric, value] of Object.entries(state.metrics)) {
    newest = Math.max(newest ?? value.t, value.t)
    const reading = judgeAge(value, { ...options, online: state.online })
    // A fault is not gone because its report is old.
    if (metric === 'fault' && reading.quality !== 'bad') fault = reading.value
    switch (reading.quality) {
      case 'good':
        break
      case 'bad':
        if (badCount++ === 0) [badMetric, badReason] = [metric, reading.reason]
        break
      case 'stale':
        staleCount++
        if (value.t < oldest) [staleMetric, oldest] = [metric, value.t]
        break
    }
  }
  if (!state.online) return { condition: 'offline', newest }
  if (newest === null) return { condition: 'no_data', newest: null }
  if (fault !== 0) return { condition: 'fault', newest, word: fault }
  if (badCount > 0) return { condition: 'bad', newest, metric: badMetric, reason: badReason, count: badCount }
  if (staleCount > 0) return { condition: 'stale', newest, metric: staleMetric, oldest, count: staleCount }
  return { condition: 'normal', newest }
}

/** The same to the reader: nothing needs to be drawn anew. */
export function sameVerdict(a: Verdict, b: Verdict): boolean {
  if (a.condition !== b.condition || a.newest !== b.newest) return false
  if (a.condition === 'fault' && b.condition === 'fault') return a.word === b.word
  if (a.condition === 'stale' && b.condition === 'stale') return a.metric === b.metric && a.oldest === b.oldest && a.count === b.count
  if (a.condition === 'bad' && b.condition === 'bad') return a.metric === b.metric && a.count === b.count && a.reason === b.reason
  return true
}

export type Counts = Readonly<Record<Condition, number>>
export function countConditions(conditions: Iterable<Condition>): Counts {
  const counts = { fault: 0, offline: 0, bad: 0, stale: 0, no_data: 0, normal: 0 }
  for (const condition of conditions) counts[condition]++
  return counts
}
