import { expect, test } from 'vitest'
import type { IntakePlan, PlanProgress } from '#contract/http/plan.ts'
import { changesIn, draftOf } from './edit.ts'

const progress: PlanProgress = {
  used_m3: null,
  completeness: 0,
  planned_m3: null,
  planned_to_now_m3: null,
  by_plan_m3: null,
  by_pace_m3: null,
}
const kept: IntakePlan = {
  ...{ structure: 'head', area: 'yichang', may_edit: true, quota_m3: 5_000_000, planned_m3: [123_456, null], used_m3: [null, null] },
  ...{ year: progress, season: progress },
}
const of = { periods: [0, 10].map((from) => ({ key: `2026-07-D${from}`, from, to: from + 10, season: 'autumn' })), yearFrom: 0 }

test('what was only looked at is not sent again, also where 10⁴ m³ hide the last digits', () => {
  expect(changesIn(draftOf(kept), kept, of)).toEqual([])
})

test('what was typed goes out in m³, and a field that was emptied changes nothing', () => {
  expect(changesIn({ quota: 600, tendays: ['', 20.5] }, kept, of)).toEqual([
    { kind: 'quota', from: 0, volume_m3: 6_000_000 },
    { kind: 'tenday', from: 10, volume_m3: 205_000 },
  ])
})
