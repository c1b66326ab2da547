import { type Static, Type } from 'typebox'
import { Alarm, PRIORITIES } from '../alarm.ts'
import { ORDER_STATES, type OrderState } from '../order.ts'
import { JournalRow } from './alarm.ts'
import { CommandView, LockoutView } from './command.ts'
import { OrderTarget } from './order.ts'

/** The district through a stretch of the past: everything that a screen shows, in one answer. */

const Ms = Type.Integer({ description: 'ms since 1970 UTC' })
const nullable = <T extends Parameters<typeof Type.Array>[0]>(type: T) => Type.Union([type, Type.Null()])
const LAST_MS = 8.64e15

export const MOST_PAST_STEPS = 600
export const PastQuery = Type.Object({
  from: Type.Integer({ minimum: 0, maximum: LAST_MS, description: 'ms since 1970 UTC, inclusive; begins at a whole multiple of step_ms' }),
  to: Type.Integer({ minimum: 0, maximum: LAST_MS, description: 'ms since 1970 UTC, exclusive' }),
  step_ms: Type.Integer({
    ...{ minimum: 1, maximum: 86_400_000, default: 1000 },
    description: `Of each step the newest sample is told; at most ${MOST_PAST_STEPS} steps`,
  }),
})

export const PastSeries = Type.Object({
  t: Type.Array(Ms, { description: 'Ascending; the first may lie before `from`: what was known then' }),
  v: Type.Array(nullable(Type.Number()), { description: 'Rounded to a digit more than is shown; null: it could not be taken' }),
  q: Type.Optional(Type.Array(Type.Integer(), { description: '0 GOOD, 500 STALE, else the reason for BAD; left out where all are GOOD' })),
  good: Type.Optional(
    Type.Object({ t: Ms, v: Type.Number() }, { description: 'The newest GOOD before `from`, where the first of the columns is none' }),
  ),
})
export type PastSeries = Static<typeof PastSeries>
export const PastGate = Type.Object({
  stale_after_ms: Type.Integer({
    description:
      'A value older than this was STALE. Of a gate that was told less often than once a minute then: three intervals of its rarest metric',
  }),
  metrics: Type.Record(Type.String(), PastSeries),
})
export type PastGate = Static<typeof PastGate>

export const PastOrder = Type.Object({
  ...{ id: Type.String(), year: Type.Integer(), number: Type.Integer(), area: Type.String(), structure: Type.String() },
  ...{ target: OrderTarget, reason: Type.String(), effective_at: Ms },
  steps: Type.Array(Type.Object({ state: Type.Unsafe<OrderState>(Type.Enum([...ORDER_STATES])), at: Ms })),
})
export type PastOrder = Static<typeof PastOrder>
export const PastTag = Type.Object({ ...LockoutView.properties, lifted_at: nullable(Ms) })
export type PastTag = Static<typeof PastTag>

export const Past = Type.Object({
  from: Ms,
  to: Type.Integer({ description: 'Earlier than asked where alarms were so many that they fill the answer' }),
  step_ms: Type.Integer(),
  gates: Type.Record(Type.String(), PastGate, { description: 'Those of which something was known' }),
  alarms: Type.Array(Alarm, {
    description: 'As they stood at `from`: not normal then, or with an event in the stretch. Priority and limit are those of now',
  }),
  events: Type.Array(JournalRow, { description: 'What happened to them since, by time' }),
  out_of_contact: Type.Array(Type.Object({ site: Type.String(), since: Ms }), { description: 'Sites at `from`' }),
  commands: Type.Array(CommandView, { description: 'Not ended before `from`, as they are now: their times tell what they were' }),
  orders: Type.Array(PastOrder),
  tags: Type.Array(PastTag),
})
export type Past = Static<typeof Past>

export const PastMarksQuery = Type.Object({
  from: Type.Integer({ minimum: 0, maximum: LAST_MS }),
  to: Type.Integer({ minimum: 0, maximum: LAST_MS }),
  steps: Type.Integer({ minimum: 1, maximum: 2000, default: 500, description: 'Into so many steps the span is cut' }),
})
export const PastMarks = Type.Object({
  items: Type.Array(
    Type.Object({
      at: Type.Number({ description: 'When the first alarm of the step was raised' }),
      count: Type.Integer(),
      priority: Type.Enum([...PRIORITIES], { description: 'The highest of the step' }),
      alarm: Type.String({ description: 'The first of that priority' }),
    }),
  ),
})
export type PastMarks = Static<typeof PastMarks>
