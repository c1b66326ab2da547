import { count, desc, eq } from 'drizzle-orm'
import type { CommissioningRecord } from '#contract/commissioning.ts'
import type { NodeAddress } from '#contract/topics.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { Database } from './database.ts'
import type { Page, Paged } from './port.ts'
import { commissioningRecords } from './tables/commissioning.ts'

export type Commissioning = {
  /** Durable when it resolves; one that comes again changes nothing. */
  add(node: NodeAddress, record: CommissioningRecord, at: UnixMs): Promise<void>
  /** Of a site, the last signed first. */
  list(site: string, page: Page): Promise<Paged<{ record: CommissioningRecord; receivedAt: UnixMs }>>
}

export function commissioningRepository(database: Database): Commissioning {
  return {
    add: async (node, record, at) => {
      const row = {
        id: record.id,
        site: node.node,
        area: node.group,
        structure: record.structure,
        signedAt: record.at,
        receivedAt: at,
        record,
      }
      await database.query((db) => db.insert(commissioningRecords).values(row).onConflictDoNothing())
    },
    list: async (site, { limit, offset }) => {
      const { record, receivedAt, signedAt } = commissioningRecords
      const [rows, [counted]] = await Promise.all([
        database.query((db) =>
          db
            .select({ record, receivedAt })
            .from(commissioningRecords)
            .where(eq(commissioningRecords.site, site))
            .orderBy(desc(signedAt), commissioningRecords.id)
            .limit(limit)
            .offset(offset),
        ),
        database.query((db) => db.select({ total: count() }).from(commissioningRecords).where(eq(commissioningRecords.site, site))),
      ])
      return { items: rows.map((r) => ({ record: r.record, receivedAt: unixMs(r.receivedAt) })), total: counted?.total ?? 0 }
    },
  }
}
