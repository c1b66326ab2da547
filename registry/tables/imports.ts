import { bigint, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'

const ms = (name: string) => bigint(name, { mode: 'number' }).notNull()

/** What was put into history from files. `at` is the time of receipt of all of an import's samples. */
export const imports = pgTable(
  'imports',
  {
    gate: text('gate').notNull(),
    at: ms('at'),
    from: ms('from_ms'),
    /** Of the last sample, inclusive. */
    to: ms('to_ms'),
    samples: integer('samples').notNull(),
    file: text('file').notNull(),
    by: text('by_whom').notNull(),
  },
  (t) => [primaryKey({ columns: [t.gate, t.at] })],
)
