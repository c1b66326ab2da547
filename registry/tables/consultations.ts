import { bigint, index, json, pgTable, text } from 'drizzle-orm/pg-core'
import type { ConsultationView } from '#contract/http/consultation.ts'

const ms = (name: string) => bigint(name, { mode: 'number' })

/** A recorded consultation (会商): the time that was looked at, the views, and what was concluded. Never changed: a later one says more. */
export const consultations = pgTable(
  'consultations',
  {
    id: text('id').primaryKey(),
    /** Null is the whole district. */
    area: text('area'),
    title: text('title').notNull(),
    from: ms('from_at').notNull(),
    to: ms('to_at').notNull(),
    views: json('views').$type<ConsultationView[]>().notNull(),
    conclusions: text('conclusions').notNull(),
    at: ms('at').notNull(),
    by: text('by_login').notNull(),
    byName: text('by_name').notNull(),
  },
  (t) => [index('consultations_at').on(t.at)],
)
