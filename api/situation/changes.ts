import { leafOfOpening } from '#contract/metrics.ts'
import type { Aggregate } from '#history/port.ts'

/** Smaller changes are waves, and a sensor's own trembling. In the metric's unit; a flow's also in parts of the design flow. */
const LEAST_LEVEL_M = 0.05
const LEAST_OPENING_M = 0.02
const LEAST_FLOW_M3S = 0.5
const LEAST_FLOW_SHARE = 0.05

export const CHANGE_METRICS = ['opening', 'flow', 'level_up'] as const

export type FoundChange = {
  readonly gate: string
  readonly metric: string
  readonly before: number
  readonly after: number
  /** In multiples of what is worth telling: the order of the list. */
  readonly weight: number
}

/** What has changed between the newest values of two hours, when it is worth telling. */
export function changeOf(
  metric: string,
  { gate, designFlow, hours }: { gate: string; designFlow: number; hours: readonly Aggregate[] },
): FoundChange | undefined {
  const [before, after] = [hours[0]?.last ?? null, hours[1]?.last ?? null]
  if (before === null || after === null) return undefined
  const least = leastOf(metric, designFlow)
  const weight = Math.abs(after - before) / least
  return weight < 1 ? undefined : { gate, metric, before, after, weight }
}

function leastOf(metric: string, designFlow: number): number {
  if (metric === 'flow') return Math.max(LEAST_FLOW_M3S, LEAST_FLOW_SHARE * designFlow)
  return leafOfOpening(metric) === undefined ? LEAST_LEVEL_M : LEAST_OPENING_M
}
