import { type Static, Type } from 'typebox'
import { PERIOD_STEPS, type PeriodStep } from '../periods.ts'

/** Volumes and balances, as the API tells them. */

const Step = Type.Unsafe<PeriodStep>(
  Type.Enum([...PERIOD_STEPS], {
    default: 'day',
    description: 'hour, day (08:00 to 08:00), tenday (旬), month, season or water year; the calendar is a setting',
  }),
)
const Span = {
  from: Type.Integer({ description: 'ms since 1970 UTC; the first and last period are cut at from and to' }),
  to: Type.Integer({ description: 'ms since 1970 UTC, exclusive' }),
  step: Step,
}
const Flow = Type.String({ default: 'flow', description: 'A metric in m³/s' })
const GateIds = (description: string) => Type.String({ maxLength: 20_000, description })

export const VolumeQuery = Type.Object({ ...Span, metric: Flow })
export const CompareQuery = Type.Object({
  ...Span,
  metric: Type.String({ default: 'flow', description: 'Any metric of the catalogue' }),
  gates: Type.Optional(GateIds('Ids, separated by commas; every gate that the person may see where not given')),
})
export const BalanceQuery = Type.Object({
  ...Span,
  metric: Flow,
  in: GateIds('Gates by which water enters the reach'),
  out: Type.Optional(GateIds('Gates by which it leaves at the end')),
  offtakes: Type.Optional(GateIds('Gates by which it leaves on the way')),
  level_gate: Type.Optional(Type.String({ maxLength: 64, description: 'Gate whose level_up tells what the reach stores' })),
  surface_m2: Type.Optional(
    Type.Number({ exclusiveMinimum: 0, description: 'Water surface of the reach; storage is left out where not given' }),
  ),
})

const Share = Type.Number({ minimum: 0, maximum: 1 })
const Quantity = Type.Union([Type.Number(), Type.Null()])

export const VolumePeriod = Type.Object({
  key: Type.String({ description: 'The period by the local date on which it begins' }),
  from: Type.Number(),
  to: Type.Number(),
  volume_m3: Type.Union([Type.Number(), Type.Null()], { description: 'Of what is known; null where nothing is' }),
  volume_wan_m3: Quantity,
  volume_yi_m3: Quantity,
  flow_days: Type.Union([Type.Number(), Type.Null()], { description: '流量日: 86 400 m³' }),
  plus_minus_m3: Type.Union([Type.Number(), Type.Null()], {
    description: 'Half-width: of the flow (a setting) and of what is estimated. What is missing is not in it: see completeness',
  }),
  mean_flow_m3s: Quantity,
  completeness: Type.Number({ minimum: 0, maximum: 1, description: 'Share of the time that is measured or estimated' }),
  estimated_share: Type.Number({ minimum: 0, maximum: 1, description: 'Share of the time that a straight line or an analyst fills' }),
  bad_share: Type.Number({ minimum: 0, maximum: 1, description: 'Share of the samples that are BAD, STALE or unreliable' }),
  samples: Type.Integer(),
  doubtful: Type.Integer(),
  unreliable: Type.Integer(),
  corrected: Type.Boolean({ description: 'An analyst has marked or replaced some of it' }),
})
export type VolumePeriod = Static<typeof VolumePeriod>
export const VolumeReply = Type.Object({ gate: Type.String(), metric: Type.String(), step: Step, periods: Type.Array(VolumePeriod) })
export type VolumeReply = Static<typeof VolumeReply>

const Numbers = Type.Array(Quantity)
/** Columns by period, so that a year by the day of a hundred gates is one answer. */
export const CompareReply = Type.Object({
  metric: Type.String(),
  step: Step,
  key: Type.Array(Type.String()),
  from: Type.Array(Type.Number()),
  to: Type.Array(Type.Number()),
  gates: Type.Record(
    Type.String(),
    Type.Object({
      mean: Numbers,
      min: Numbers,
      max: Numbers,
      last: Numbers,
      volume_m3: Type.Optional(Numbers),
      plus_minus_m3: Type.Optional(Numbers),
      completeness: Type.Array(Share),
      estimated_share: Type.Array(Share),
      bad_share: Type.Array(Share),
    }),
  ),
})
export type CompareReply = Static<typeof CompareReply>

const Part = Type.Object({ volume_m3: Quantity, plus_minus_m3: Quantity, completeness: Share })
export const BalanceReply = Type.Object({
  step: Step,
  periods: Type.Array(
    Type.Object({
      key: Type.String(),
      from: Type.Number(),
      to: Type.Number(),
      in: Part,
      out: Part,
      offtakes: Part,
      storage: Type.Union([Part, Type.Null()], { description: 'What the reach holds more at the end than at the beginning' }),
      loss_m3: Type.Union([Type.Number(), Type.Null()], { description: 'in − out − offtakes − storage' }),
      loss_plus_minus_m3: Quantity,
      loss_share: Type.Union([Type.Number(), Type.Null()], { description: 'Of what came in' }),
      completeness: Type.Number({ description: 'Of the least complete part' }),
    }),
  ),
})
export type BalanceReply = Static<typeof BalanceReply>
