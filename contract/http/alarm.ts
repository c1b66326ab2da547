import { type Static, Type } from 'typebox'
import { ALARM_STATES, Alarm, AlarmRule, JOURNAL_EVENTS, PRIORITIES } from '../alarm.ts'
import { PageQuery, paged } from '../http.ts'

/** An alarm with its ISA-18.2 state at the server's present time. */
export const AlarmView = Type.Object({ ...Alarm.properties, state: Type.Enum([...ALARM_STATES]) })
export type AlarmView = Static<typeof AlarmView>
export const AlarmList = paged(AlarmView)
export type AlarmList = Static<typeof AlarmList>
const MOST_OF_ID = 200
const IdRange = { minLength: 1, maxLength: MOST_OF_ID } as const
const Id = Type.String(IdRange)
export const AlarmQuery = Type.Object({
  ...PageQuery.properties,
  state: Type.Optional(Type.Enum([...ALARM_STATES])),
  priority: Type.Optional(Type.Enum([...PRIORITIES])),
  area: Type.Optional(Id),
  site: Type.Optional(Id),
  gate: Type.Optional(Id),
})
export const AlarmParams = Type.Object({ id: Id })
const Reason = Type.String({ minLength: 1, maxLength: 500, pattern: '\\S' })

/** Of one request; a storm may hold more. */
export const MOST_ACKNOWLEDGED = 5000
export const MOST_ACK_BYTES = MOST_ACKNOWLEDGED * (MOST_OF_ID + 10)
/** Many at once: by id, or every one of an area. */
export const AckMany = Type.Object(
  { ids: Type.Optional(Type.Array(Id, { maxItems: MOST_ACKNOWLEDGED })), area: Type.Optional(Id) },
  { additionalProperties: false },
)
export const Acked = Type.Object({ acknowledged: Type.Integer() })
export type Acked = Static<typeof Acked>
export const Shelve = Type.Object(
  {
    minutes: Type.Integer({ minimum: 1, maximum: 7 * 24 * 60, description: 'After this time it comes back by itself' }),
    reason: Reason,
  },
  { additionalProperties: false },
)
export type Shelve = Static<typeof Shelve>
export const Comment = Type.Object({ note: Reason }, { additionalProperties: false })
export const OutOfService = Type.Object({ out: Type.Boolean(), reason: Reason }, { additionalProperties: false })

export const JournalRow = Type.Object({
  id: Type.Integer(),
  alarm: Type.String(),
  area: Type.Union([Type.String(), Type.Null()]),
  occurrence: Type.Integer(),
  event: Type.Enum([...JOURNAL_EVENTS]),
  at: Type.Number(),
  who: Type.String({ description: 'Empty: the process itself' }),
  note: Type.String(),
  value: Type.Union([Type.Number(), Type.Null()]),
  until: Type.Union([Type.Number(), Type.Null()], { description: 'Of a shelving: when it ends by itself' }),
})
export type JournalRow = Static<typeof JournalRow>
export const JournalList = paged(JournalRow)
export type JournalList = Static<typeof JournalList>
export const JournalQuery = Type.Object({
  ...PageQuery.properties,
  alarm: Type.Optional(Id),
  gate: Type.Optional(Id),
  site: Type.Optional(Type.String({ ...IdRange, description: 'With a gate: what concerns the one or the other' })),
  from: Type.Optional(Type.Integer({ description: 'ms since 1970 UTC, inclusive' })),
  to: Type.Optional(Type.Integer({ description: 'ms since 1970 UTC, exclusive' })),
})
export const RuleList = paged(AlarmRule)
export const RuleQuery = Type.Object({ ...PageQuery.properties, gate: Type.Optional(Id), site: Type.Optional(Id) })

/** More than this in ten minutes is more than one operator can take in (ISA-18.2, EEMUA 191). */
export const FLOOD = 10
export const FiguresQuery = Type.Object({ hours: Type.Integer({ minimum: 1, maximum: 168, default: 24 }) })
export const Figures = Type.Object({
  from: Type.Number(),
  to: Type.Number(),
  ten_minutes: Type.Array(
    Type.Object({
      from: Type.Number(),
      area: Type.Union([Type.String(), Type.Null()], { description: 'An operator’s share; null is the center' }),
      raised: Type.Integer({ description: 'Without those suppressed by design' }),
      flood: Type.Boolean(),
    }),
    { description: 'Ten minutes and areas in which anything was raised' },
  ),
  chattering: Type.Array(Type.Object({ alarm: Type.String(), raised: Type.Integer() }), {
    description: 'Raised five times or more in the span, the most often first',
  }),
  standing: Type.Array(Type.String(), { description: 'Active for a day or longer' }),
})
export type Figures = Static<typeof Figures>
