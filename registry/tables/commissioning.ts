import { bigint, index, json, pgTable, text } from 'drizzle-orm/pg-core'
import type { CommissioningRecord } from '#contract/commissioning.ts'

const ms = (name: string) => bigint(name, { mode: 'number' }).notNull()

/** What engineers have signed at the sites. A record that comes twice is one row, and is never changed. */
export const commissioningRecords = pgTable(
  'commissioning_records',
  {
    id: text('id').primaryKey(),
    site: text('site').notNull(),
    area: text('area').notNull(),
    structure: text('structure').notNull(),
    signedAt: ms('signed_at'),
    receivedAt: ms('received_at'),
    record: json('record').$type<CommissioningRecord>().notNull(),
  },
  (t) => [index('commissioning_records_site').on(t.site, t.signedAt)],
)
