import { bigint, boolean, index, json, pgTable, text } from 'drizzle-orm/pg-core'
import type { OpenItem } from '#contract/http/shift-log.ts'

const ms = (name: string) => bigint(name, { mode: 'number' })
const identity = () => bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity()
const made = { at: ms('at').notNull(), by: text('by_login').notNull(), byName: text('by_name').notNull() }

/** What dispatchers write down. Never changed, save that an open one is closed: a correction is a new entry that names the old one. */
export const shiftEntries = pgTable(
  'shift_entries',
  {
    id: identity(),
    ...made,
    /** Null is the whole district. */
    area: text('area'),
    gate: text('gate'),
    alarm: text('alarm'),
    text: text('text').notNull(),
    /** The entry that this one corrects. */
    amends: bigint('amends', { mode: 'number' }),
    /** To be followed up by whoever has the shift. */
    open: boolean('open').notNull(),
    closedAt: ms('closed_at'),
    closedBy: text('closed_by'),
  },
  (t) => [index('shift_entries_at').on(t.at), index('shift_entries_gate').on(t.gate, t.at)],
)

/** A shift given over: what was open then, as it was then, and who took it. */
export const handovers = pgTable(
  'handovers',
  {
    id: identity(),
    ...made,
    area: text('area'),
    note: text('note').notNull(),
    items: json('items').$type<OpenItem[]>().notNull(),
    takenAt: ms('taken_at'),
    takenBy: text('taken_by'),
    takenByName: text('taken_by_name'),
  },
  (t) => [index('handovers_at').on(t.at)],
)
