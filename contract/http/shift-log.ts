import { type Static, Type } from 'typebox'
import { PageQuery, paged } from '../http.ts'

/** The dispatchers' log (值班日志) and the handover of a shift (交接班). */

const nullable = <T extends Parameters<typeof Type.Array>[0]>(type: T) => Type.Union([type, Type.Null()])
const Id = Type.String({ minLength: 1, maxLength: 200 })
const Ms = Type.Number({ description: 'ms since 1970 UTC' })
const Text = (most: number) => Type.String({ minLength: 1, maxLength: most, pattern: '\\S' })

export const NewShiftEntry = Type.Object(
  {
    text: Text(2000),
    area: Type.Optional(nullable(Id)),
    gate: Type.Optional(nullable(Id)),
    alarm: Type.Optional(nullable(Id)),
    amends: Type.Optional(Type.Union([Type.Integer(), Type.Null()], { description: 'The entry that this one corrects' })),
    open: Type.Optional(Type.Boolean({ description: 'To be followed up, also by the next shift' })),
  },
  { additionalProperties: false },
)
export type NewShiftEntry = Static<typeof NewShiftEntry>

export const ShiftEntry = Type.Object({
  id: Type.Integer(),
  at: Ms,
  by: Type.String(),
  by_name: Type.String(),
  area: Type.Union([Type.String(), Type.Null()], { description: 'null: the whole district' }),
  gate: nullable(Type.String()),
  alarm: nullable(Type.String()),
  text: Type.String(),
  amends: nullable(Type.Integer()),
  open: Type.Boolean({ description: 'To be followed up and not closed yet' }),
  closed_at: nullable(Ms),
  closed_by: nullable(Type.String()),
})
export type ShiftEntry = Static<typeof ShiftEntry>
export const ShiftEntryList = paged(ShiftEntry)
export type ShiftEntryList = Static<typeof ShiftEntryList>
export const ShiftEntryQuery = Type.Object({
  ...PageQuery.properties,
  gate: Type.Optional(Id),
  alarm: Type.Optional(Id),
  from: Type.Optional(Type.Integer({ description: 'ms since 1970 UTC, inclusive' })),
  to: Type.Optional(Type.Integer({ description: 'ms since 1970 UTC, exclusive' })),
})

/** What the next shift must know of. `state` is the word of its kind: an alarm's, a command's, an order's. */
export const OPEN_KINDS = ['entry', 'alarm', 'command', 'order', 'tag'] as const
export const OpenItem = Type.Object({
  kind: Type.Enum([...OPEN_KINDS]),
  id: Type.String(),
  area: nullable(Type.String()),
  gate: nullable(Type.String()),
  since: Ms,
  state: Type.String(),
  text: Type.String({ description: 'What it is: an entry’s text, an alarm’s kind, a command’s or order’s action, a tag’s reason' }),
})
export type OpenItem = Static<typeof OpenItem>
export const OpenList = Type.Object({ at: Ms, items: Type.Array(OpenItem) })
export type OpenList = Static<typeof OpenList>

export const NewHandover = Type.Object(
  { note: Type.String({ maxLength: 4000 }), area: Type.Optional(nullable(Id)) },
  { additionalProperties: false },
)
export type NewHandover = Static<typeof NewHandover>
export const Handover = Type.Object({
  id: Type.Integer(),
  at: Ms,
  by: Type.String(),
  by_name: Type.String(),
  area: nullable(Type.String()),
  note: Type.String(),
  items: Type.Array(OpenItem),
  taken_at: nullable(Ms),
  taken_by: nullable(Type.String()),
  taken_by_name: nullable(Type.String()),
})
export type Handover = Static<typeof Handover>
export const HandoverList = paged(Handover)
export type HandoverList = Static<typeof HandoverList>
