import { type Static, Type } from 'typebox'

const Limits = Type.Tuple([Type.Number(), Type.Number()], { description: '[lowest, highest], in the metric’s unit' })
const Positive = Type.Number({ exclusiveMinimum: 0 })

/** How samples of one metric are judged. What is not there is not asked. */
export const VerdictRule = Type.Object(
  {
    hard: Type.Optional(Limits),
    soft: Type.Optional(Limits),
    soft_by_month: Type.Optional(
      Type.Record(Type.String({ pattern: '^([1-9]|1[0-2])$' }), Limits, {
        description: 'In place of soft, by month of local time: 1 … 12',
      }),
    ),
    rise_per_min: Type.Optional(Positive),
    fall_per_min: Type.Optional(Positive),
    frozen_min: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Not one digit changed for so many minutes' })),
    spike: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: 'Farther than this from both its neighbours in time, which agree' }),
    ),
    derived_share: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: 'Of a measured flow: farther than this share from the derived flow' }),
    ),
    neighbour: Type.Optional(
      Type.Object(
        { gate: Type.String(), metric: Type.String(), most: Positive },
        {
          additionalProperties: false,
          description: 'Farther than most from the value of another gate, as elevation where both are levels',
        },
      ),
    ),
  },
  { additionalProperties: false },
)
export type VerdictRule = Static<typeof VerdictRule>

export const SetVerdictRule = Type.Object(
  { gate: Type.String(), metric: Type.String(), rule: VerdictRule },
  { additionalProperties: false },
)
export type SetVerdictRule = Static<typeof SetVerdictRule>
