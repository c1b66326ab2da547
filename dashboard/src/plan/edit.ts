import type { IntakePlan, PlanChange, PlanPeriod } from '#contract/http/plan.ts'

/** 10⁴ m³ is what districts plan in. */
export const WAN_M3 = 10_000

/** What a person has typed for one intake, in 10⁴ m³; empty is no plan. */
export type PlanDraft = { readonly quota: number | ''; readonly tendays: readonly (number | '')[] }

const shown = (m3: number | null): number | '' => (m3 === null ? '' : m3 / WAN_M3)
export const draftOf = ({ quota_m3, planned_m3 }: IntakePlan): PlanDraft => ({ quota: shown(quota_m3), tendays: planned_m3.map(shown) })

/** What differs from what is kept. A field that was emptied leaves what is kept: a plan of nothing is 0. */
export function changesIn(
  draft: PlanDraft,
  kept: IntakePlan,
  of: { readonly periods: readonly PlanPeriod[]; readonly yearFrom: number },
): PlanChange['items'] {
  const item = (kind: 'tenday' | 'quota', from: number, typed: number | '', before: number | null): PlanChange['items'] =>
    typed === '' || Math.round(typed * WAN_M3) === before ? [] : [{ kind, from, volume_m3: Math.round(typed * WAN_M3) }]
  return [
    ...item('quota', of.yearFrom, draft.quota, kept.quota_m3),
    ...of.periods.flatMap((p, i) => item('tenday', p.from, draft.tendays[i] ?? '', kept.planned_m3[i] ?? null)),
  ]
}
