/** Ten-day water-use plans (用水计划): how far an intake is, and where it is going. Pure. */

export type PlannedPeriod = {
  readonly from: number
  readonly to: number
  /** m³; null: no plan is entered. */
  readonly planned: number | null
  /** m³ so far; null: nothing is known, or it has not begun. */
  readonly used: number | null
}
export type PlanProgress = {
  readonly used: number | null
  readonly planned: number | null
  /** Of the plan, by the time that has gone: within a period it is spread evenly. */
  readonly plannedToNow: number | null
  /** At the end of the span, if the plan is kept from now on. */
  readonly byPlan: number | null
  /** If what is ahead departs from its plan as what is behind did. */
  readonly byPace: number | null
}

export function progressOf(periods: readonly PlannedPeriod[], now: number): PlanProgress {
  const gone = ({ from, to }: PlannedPeriod): number => Math.min(1, Math.max(0, (now - from) / (to - from)))
  const known = periods.flatMap((p) => p.used ?? [])
  const used = known.length === 0 ? null : sum(known)
  const withPlan = periods.flatMap((p) => (p.planned === null ? [] : [{ planned: p.planned, gone: gone(p) }]))
  if (withPlan.length === 0) return { used, planned: null, plannedToNow: null, byPlan: null, byPace: null }
  const planned = sum(withPlan.map((p) => p.planned))
  const plannedToNow = sum(withPlan.map((p) => p.planned * p.gone))
  if (used === null) return { used, planned, plannedToNow, byPlan: null, byPace: null }
  const ahead = planned - plannedToNow
  return { used, planned, plannedToNow, byPlan: used + ahead, byPace: plannedToNow > 0 ? used + (ahead * used) / plannedToNow : null }
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
