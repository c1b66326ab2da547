import { type Static, Type } from 'typebox'

/** What the start page tells of the whole district (or of the areas that a person may see), in one answer. */

export const SituationQuery = Type.Object({
  at: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 8.64e15, description: 'As it was then, ms since 1970 UTC, by what is known now; else as it is' }),
  ),
})

const Quantity = Type.Union([Type.Number(), Type.Null()])
const Volume = {
  from: Type.Number({ description: 'ms since 1970 UTC' }),
  to: Type.Number(),
  volume_m3: Quantity,
  plus_minus_m3: Quantity,
  completeness: Type.Number({ minimum: 0, maximum: 1, description: 'Of the least complete intake' }),
}

export const ReachBalance = Type.Object({
  canal: Type.String(),
  up: Type.String({ description: 'Gate at its upper end' }),
  down: Type.String(),
  offtakes: Type.Array(Type.String()),
  in_m3: Quantity,
  loss_m3: Type.Union([Type.Number(), Type.Null()], { description: 'in − out − offtakes; what the reach stores is in it' }),
  plus_minus_m3: Quantity,
  loss_share: Quantity,
  usual_share: Quantity,
  completeness: Type.Number(),
  out_of_balance: Type.Boolean({
    description:
      'The loss departs from the usual (from none where that is not known) by more than a tenth of the inflow and more than the error bars',
  }),
})
export type ReachBalance = Static<typeof ReachBalance>

export const Change = Type.Object({
  gate: Type.String(),
  metric: Type.String(),
  before: Type.Number({ description: 'The newest value of the hour before' }),
  after: Type.Number({ description: 'The newest value of the last hour' }),
})
export type Change = Static<typeof Change>

export const Situation = Type.Object({
  at: Type.Number({ description: 'Reckoned then, ms since 1970 UTC; a few seconds old' }),
  intakes: Type.Array(Type.String(), { description: 'Gates by which water enters; the largest first' }),
  today: Type.Object(Volume, { description: 'The running water day' }),
  season: Type.Object({
    name: Type.String({ description: 'As the calendar settings name it' }),
    ...Volume,
    plan_m3: Type.Union([Type.Number(), Type.Null()], {
      description: 'Sum of the intakes’ ten-day plans of the season; null: none is entered',
    }),
  }),
  balance_from: Type.Number(),
  balance_to: Type.Number(),
  reaches: Type.Array(ReachBalance),
  changes: Type.Array(Change, { description: 'What has changed most in the last hour, the largest first' }),
})
export type Situation = Static<typeof Situation>
