import { metricOf } from '#contract/metrics.ts'

/** Of the value: what trembles by less is noise and water in motion, and a screen that marks it marks everything. */
const SHARE = 0.01

/** Whether a value has moved so far that the eye should be drawn to it. @param before the value when it was last drawn to it */
export function isNotable(metric: string, before: number, after: number): boolean {
  const entry = metricOf(metric)
  if (entry?.datatype !== 'Float' && entry?.datatype !== 'Double') return before !== after
  return Math.abs(after - before) > Math.max(entry.deadband, SHARE * Math.abs(before))
}
