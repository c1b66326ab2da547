import { and, eq, gt, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { leases } from './tables/analysis.ts'

/** What one holder has for itself until a time, by the database's clock: holders' own clocks may differ. */
export type Leases = {
  /** Takes a free or ended lease, or prolongs the holder's own. @returns the term, which rises with each new holder; undefined where another holds it. */
  take(name: string, holder: string, forMs: number): Promise<number | undefined>
  /** Gives it back at once, where `holder` has it. */
  giveBack(name: string, holder: string): Promise<void>
  /** Those that have not ended. */
  held(): Promise<{ name: string; holder: string; term: number }[]>
}

const NOW = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`

export function leaseRepository(database: Database): Leases {
  return {
    take: async (name, holder, forMs) => {
      const until = sql<number>`${NOW} + ${Math.round(forMs)}::bigint`
      const [row] = await database.query((db) =>
        db
          .insert(leases)
          .values({ name, holder, until, term: 1 })
          .onConflictDoUpdate({
            target: leases.name,
            set: {
              holder,
              until,
              term: sql`case when ${leases.holder} = ${holder} then ${leases.term} else ${leases.term} + 1 end`,
            },
            setWhere: sql`${leases.holder} = ${holder} or ${leases.until} <= ${NOW}`,
          })
          .returning({ term: leases.term }),
      )
      return row?.term
    },
    giveBack: async (name, holder) => {
      await database.query((db) =>
        db
          .update(leases)
          .set({ until: 0 })
          .where(and(eq(leases.name, name), eq(leases.holder, holder))),
      )
    },
    held: () =>
      database.query((db) =>
        db.select({ name: leases.name, holder: leases.holder, term: leases.term }).from(leases).where(gt(leases.until, NOW)),
      ),
  }
}
