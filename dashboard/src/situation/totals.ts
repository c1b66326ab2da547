import type { Reading } from '#contract/reading.ts'

export type FlowSum = { readonly flow: number | null; readonly known: number; readonly all: number }

/** What passes several gates together now. A value that is bad, old or missing is not in the sum, and the count says so. */
export function sumFlows(readings: readonly (Reading | undefined)[]): FlowSum {
  const known = readings.flatMap((r) => (r?.quality === 'good' ? [r.value] : []))
  return { flow: known.length === 0 ? null : known.reduce((a, b) => a + b, 0), known: known.length, all: readings.length }
}
