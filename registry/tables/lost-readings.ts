import { bigint, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { LossReason } from '#contract/lost.ts'

const ms = (name: string) => bigint(name, { mode: 'number' }).notNull()

/** What agents have told of readings that they could not deliver. A record that comes twice is one row. */
export const lostReadings = pgTable(
  'lost_readings',
  {
    site: text('site').notNull(),
    /** The batch id under which the agent told it, decimal. */
    batch: text('batch').notNull(),
    /** Its place in that message. */
    n: integer('n').notNull(),
    area: text('area').notNull(),
    structure: text('structure'),
    from: ms('from_ms'),
    to: ms('to_ms'),
    readings: integer('readings').notNull(),
    why: text('why').$type<LossReason>().notNull(),
    toldAt: ms('told_at'),
  },
  (t) => [primaryKey({ columns: [t.site, t.batch, t.n] })],
)
