import { and, eq, gte, lt } from 'drizzle-orm'
import type { LostRecord } from '#contract/lost.ts'
import type { NodeAddress } from '#contract/topics.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Database } from './database.ts'
import { lostReadings } from './tables/lost-readings.ts'

/** One message of an agent about readings that it had kept and could not deliver. */
export type ToldLoss = {
  readonly node: NodeAddress
  /** The batch id that its receipt will name. */
  readonly batch: bigint
  readonly records: readonly LostRecord[]
  readonly at: UnixMs
}
export type Gaps = {
  /** Durable when it resolves; a message that comes again changes nothing. */
  recordLost(losses: readonly ToldLoss[]): Promise<void>
  /** Losses of a site whose interval touches [from, to), in the order of time. */
  lost(site: string, span: { from: UnixMs; to: UnixMs }): Promise<LostRecord[]>
}

export function gapRepository(database: Database): Gaps {
  return {
    recordLost: async (losses) => {
      const rows = losses.flatMap(({ node, batch, records, at }) =>
        records.map((r, n) => ({ ...r, site: node.node, area: node.group, batch: String(batch), n, toldAt: at })),
      )
      if (rows.length > 0) await database.query((db) => db.insert(lostReadings).values(rows).onConflictDoNothing())
    },
    lost: async (site, { from, to }) => {
      const { structure, from: first, to: last, readings, why } = lostReadings
      return await database.query((db) =>
        db
          .select({ structure, from: first, to: last, readings, why })
          .from(lostReadings)
          .where(and(eq(lostReadings.site, site), lt(first, to), gte(last, from)))
          .orderBy(first, structure),
      )
    },
  }
}
