import { type Static, Type } from 'typebox'
import { FlowMethod } from '../flow-method.ts'
import { ManualReading } from '../manual-reading.ts'
import { VerdictRule } from '../verdict-rule.ts'

/** What analysts set and enter, as the API tells it. */

const Quantity = Type.Union([Type.Number(), Type.Null()])
const Made = { by: Type.String(), at: Type.Number({ description: 'ms since 1970 UTC' }) }

export const FlowMethodList = Type.Object({
  now: FlowMethod,
  methods: Type.Array(Type.Object({ ...FlowMethod.properties, ...Made })),
})
export type FlowMethodList = Static<typeof FlowMethodList>
const { structure: _structure, ...methodFields } = FlowMethod.properties
export const NewFlowMethod = Type.Object(methodFields, { additionalProperties: false })
export type NewFlowMethod = Static<typeof NewFlowMethod>

/** The span whose stored flow is to be derived anew. */
export const DeriveSpan = Type.Object(
  {
    from: Type.Integer({ minimum: 0, description: 'ms since 1970 UTC, inclusive' }),
    to: Type.Integer({ maximum: 8.64e15, description: 'exclusive' }),
  },
  { additionalProperties: false },
)
export const Rederived = Type.Object({ derived: Type.Integer({ description: 'Flows that were derived' }) })
export type Rederived = Static<typeof Rederived>

/** How a derived flow came about. */
export const FlowExplained = Type.Object({
  gate: Type.String(),
  at: Type.Number(),
  inputs: Type.Record(Type.String(), Type.Object({ t: Type.Number(), value: Quantity })),
  method: FlowMethod,
  flow_m3s: Quantity,
  plus_minus_m3s: Quantity,
  regime: Type.Union([Type.String(), Type.Null()]),
  flags: Type.Array(Type.String()),
  reason: Type.Union([Type.String(), Type.Null()], { description: 'Why there is no flow' }),
  measured_m3s: Type.Union([Type.Number(), Type.Null()], { description: 'Of a meter at the same time, where one is fitted' }),
})
export type FlowExplained = Static<typeof FlowExplained>

export const CalibrationReply = Type.Object({
  gate: Type.String(),
  gaugings: Type.Array(
    Type.Object({
      t: Type.Number(),
      measured_m3s: Type.Number(),
      computed_m3s: Quantity,
      fitted_m3s: Quantity,
      residual_share: Quantity,
      excluded: Type.Union([Type.String(), Type.Null()]),
    }),
  ),
  fit: Type.Union([
    Type.Object({
      factor: Type.Number(),
      uncertainty: Type.Number({ description: 'Relative, 95 %' }),
      n: Type.Integer(),
      standard_error: Type.Number(),
      relative_scatter: Type.Number(),
    }),
    Type.Null(),
  ]),
  refused: Type.Union([Type.String(), Type.Null()]),
})
export type CalibrationReply = Static<typeof CalibrationReply>

export const VerdictRuleList = Type.Object({
  rules: Type.Array(Type.Object({ metric: Type.String(), rule: VerdictRule, set_by: Type.Union([Type.String(), Type.Null()]) })),
})
export type VerdictRuleList = Static<typeof VerdictRuleList>

const Ruling = Type.Union([
  Type.Object({ kind: Type.Literal('bad') }, { additionalProperties: false }),
  Type.Object({ kind: Type.Literal('value'), value: Type.Number() }, { additionalProperties: false }),
  Type.Object(
    {
      kind: Type.Literal('samples'),
      samples: Type.Array(Type.Object({ t: Type.Integer(), value: Type.Number() }, { additionalProperties: false }), { maxItems: 1000 }),
    },
    { additionalProperties: false },
  ),
])
export const NewCorrection = Type.Object(
  {
    metric: Type.String({ maxLength: 64 }),
    from: Type.Integer({ minimum: 0 }),
    to: Type.Integer({ maximum: 8.64e15 }),
    ruling: Ruling,
    reason: Type.String({ minLength: 3, maxLength: 500 }),
  },
  { additionalProperties: false },
)
export type NewCorrection = Static<typeof NewCorrection>
export const CorrectionView = Type.Object({
  id: Type.Integer(),
  gate: Type.String(),
  ...NewCorrection.properties,
  ...Made,
  withdrawn_by: Type.Union([Type.String(), Type.Null()]),
  withdrawn_at: Quantity,
  withdrawn_why: Type.Union([Type.String(), Type.Null()]),
})
export type CorrectionView = Static<typeof CorrectionView>
export const CorrectionList = Type.Object({ items: Type.Array(CorrectionView) })
export type CorrectionList = Static<typeof CorrectionList>
export const Withdrawal = Type.Object({ why: Type.String({ minLength: 3, maxLength: 500 }) }, { additionalProperties: false })

export const ManualReadingView = Type.Object({
  ...ManualReading.properties,
  ...Made,
  sensor: Type.Union([Type.Number(), Type.Null()], { description: 'What the sensor said within ten minutes of it' }),
  sensor_metric: Type.Union([Type.String(), Type.Null()]),
  difference: Type.Union([Type.Number(), Type.Null()], { description: 'Sensor less hand' }),
})
export type ManualReadingView = Static<typeof ManualReadingView>
export const ManualReadingList = Type.Object({ items: Type.Array(ManualReadingView) })
export type ManualReadingList = Static<typeof ManualReadingList>
export const EnterReadings = Type.Object(
  { readings: Type.Array(ManualReading, { minItems: 1, maxItems: 200 }) },
  { additionalProperties: false },
)
/** Of an import: every row that was not taken, and why. */
export const ImportReport = Type.Object({
  added: Type.Integer(),
  there: Type.Integer({ description: 'The same was there already' }),
  refused: Type.Array(
    Type.Object({ row: Type.Integer({ description: 'Counted from 1, the header is not counted' }), reason: Type.String() }),
  ),
})
export type ImportReport = Static<typeof ImportReport>
