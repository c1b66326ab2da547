import { type Static, Type } from 'typebox'

/** What the API says of ten-day water-use plans (用水计划) and quotas of the intakes. */
const Quantity = Type.Union([Type.Null(), Type.Number()])
const Ms = Type.Number({ description: 'ms since 1970 UTC' })

export const PlanProgress = Type.Object({
  used_m3: Quantity,
  completeness: Type.Number({ minimum: 0, maximum: 1, description: 'Share of the time so far that is known' }),
  planned_m3: Type.Union([Type.Null(), Type.Number()], { description: 'Of the whole span; null: none is entered' }),
  planned_to_now_m3: Quantity,
  by_plan_m3: Type.Union([Type.Null(), Type.Number()], { description: 'At the end of the span, if the plan is kept from now on' }),
  by_pace_m3: Type.Union([Type.Null(), Type.Number()], { description: 'If what is ahead departs from its plan as what is behind did' }),
})
export type PlanProgress = Static<typeof PlanProgress>

export const PlanPeriod = Type.Object({
  key: Type.String({ description: 'As 2026-07-D1' }),
  from: Ms,
  to: Ms,
  season: Type.String({ description: 'In which it begins, as the calendar settings name it' }),
})
export type PlanPeriod = Static<typeof PlanPeriod>
export const IntakePlan = Type.Object({
  structure: Type.String(),
  area: Type.String(),
  may_edit: Type.Boolean(),
  quota_m3: Type.Union([Type.Null(), Type.Number()], { description: 'Of the water year' }),
  planned_m3: Type.Array(Quantity, { description: 'By period' }),
  used_m3: Type.Array(Quantity, { description: 'By period; null where nothing is known or it has not begun' }),
  year: PlanProgress,
  season: PlanProgress,
})
export type IntakePlan = Static<typeof IntakePlan>
export const PlanReport = Type.Object({
  at: Ms,
  year: Type.Object({ key: Type.String(), from: Ms, to: Ms }),
  season: Type.String({ description: 'The one of `season` in each intake' }),
  periods: Type.Array(PlanPeriod, { description: 'The ten-day periods of the water year' }),
  intakes: Type.Array(IntakePlan),
})
export type PlanReport = Static<typeof PlanReport>
export const PlanQuery = Type.Object({
  year: Type.Optional(
    Type.String({ pattern: '^2\\d{3}$', description: 'Water year by the year in which it begins; the running one where not given' }),
  ),
})

const Volume = Type.Number({ minimum: 0, maximum: 1e11 })
export const PlanChange = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          kind: Type.Unsafe<'tenday' | 'quota'>(Type.Enum(['tenday', 'quota'])),
          from: Type.Integer({ minimum: 0, maximum: 8.64e15, description: 'Start of the ten days, or of the water year for its quota' }),
          volume_m3: Volume,
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 50 },
    ),
  },
  { additionalProperties: false },
)
export type PlanChange = Static<typeof PlanChange>
