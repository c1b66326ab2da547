import { bigint, pgTable, text, unique } from 'drizzle-orm/pg-core'
import { people } from '../schema.ts'

/** What a person has saved of a page: its address without the host, under a name of their choice. */
export const savedViews = pgTable(
  'saved_views',
  {
    id: text('id').primaryKey(),
    person: text('person')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    address: text('address').notNull(),
    at: bigint('at', { mode: 'number' }).notNull(),
  },
  (t) => [unique('saved_views_name').on(t.person, t.name)],
)
