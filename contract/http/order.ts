import { type Static, Type } from 'typebox'
import { paged } from '../http.ts'
import { ORDER_DEEDS, ORDER_STATES, type OrderDeed, type OrderState, type OrderTiming } from '../order.ts'
import { CommandView } from './command.ts'

/** What the API says of dispatch orders (调度指令). */
const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(type: T) => Type.Union([Type.Null(), type])
const Ms = Type.Number({ description: 'ms since 1970 UTC' })
const State = Type.Unsafe<OrderState>(Type.Enum([...ORDER_STATES]))
const Deed = Type.Unsafe<OrderDeed>(Type.Enum([...ORDER_DEEDS]))

export const OrderTarget = Type.Union([
  Type.Object({ kind: Type.Literal('flow'), flow_m3s: Type.Number({ minimum: 0, maximum: 10_000 }) }, { additionalProperties: false }),
  Type.Object({ kind: Type.Literal('level'), level_up_m: Type.Number({ minimum: -100, maximum: 100 }) }, { additionalProperties: false }),
  Type.Object({ kind: Type.Literal('opening'), opening_m: Type.Number({ minimum: 0, maximum: 50 }) }, { additionalProperties: false }),
])
export type OrderTarget = Static<typeof OrderTarget>

/** The gate as it was when the step was made: sound values alone. */
export const OrderReadings = Type.Object({
  flow_m3s: Nullable(Type.Number()),
  level_up_m: Nullable(Type.Number()),
  level_down_m: Nullable(Type.Number()),
  openings_m: Type.Array(Nullable(Type.Number()), { description: 'By leaf; null where the encoder told nothing sound' }),
})
export type OrderReadings = Static<typeof OrderReadings>

export const OrderStepView = Type.Object({
  state: State,
  at: Ms,
  by: Type.String(),
  by_name: Type.String(),
  note: Type.String(),
  readings: Nullable(OrderReadings),
})
export const OrderView = Type.Object({
  id: Type.String(),
  year: Type.Integer(),
  number: Type.Integer({ description: 'Through the year' }),
  area: Type.String(),
  structure: Type.String(),
  state: State,
  timing: Type.Unsafe<OrderTiming>(
    Type.Enum(['in_time', 'unanswered', 'overdue', 'ended'], { description: 'overdue: past the effective time and the travel time' }),
  ),
  target: OrderTarget,
  reason: Type.String(),
  effective_at: Ms,
  travel_ms: Type.Integer({ description: 'From the structure to where the order counts' }),
  steps: Type.Array(OrderStepView),
})
export type OrderView = Static<typeof OrderView>
export const OrderList = paged(OrderView)
export type OrderList = Static<typeof OrderList>
export const OrderDetail = Type.Object({
  order: OrderView,
  may: Type.Array(Deed, { description: 'What this person may do with it now' }),
  commands: Type.Array(CommandView, { description: 'What was commanded for it, newest first' }),
})
export type OrderDetail = Static<typeof OrderDetail>

export const NewOrder = Type.Object(
  {
    structure: Type.String({ maxLength: 64 }),
    target: OrderTarget,
    reason: Type.String({ minLength: 1, maxLength: 500, pattern: '\\S' }),
    effective_at: Type.Integer({ minimum: 0, description: 'ms since 1970 UTC' }),
    travel_min: Type.Integer({
      minimum: 0,
      maximum: 10_080,
      default: 0,
      description: 'Travel time of the water to where the order counts',
    }),
  },
  { additionalProperties: false },
)
export type NewOrder = Static<typeof NewOrder>
export const OrderStepAsked = Type.Object(
  { deed: Deed, note: Type.String({ maxLength: 500, default: '' }) },
  { additionalProperties: false },
)
