import { and, asc, gte, inArray, lt, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { imports } from './tables/imports.ts'

export type ImportRow = {
  readonly gate: string
  /** The time of receipt of its samples, ms since 1970 UTC. */
  readonly at: number
  readonly from: number
  /** Of the last sample, inclusive. */
  readonly to: number
  readonly samples: number
  readonly file: string
  readonly by: string
}
export type Imports = {
  /** Widens what the same import has told of the gate. Durable when it resolves. */
  record(row: ImportRow): Promise<void>
  /** Those that touch [from, to). */
  of(gates: readonly string[], span: { from: number; to: number }): Promise<ImportRow[]>
}

export function importRepository(database: Database): Imports {
  return {
    record: async (row) => {
      const set = {
        from: sql`least(${imports.from}, excluded.from_ms)`,
        to: sql`greatest(${imports.to}, excluded.to_ms)`,
        samples: sql`${imports.samples} + excluded.samples`,
      }
      await database.query((db) =>
        db
          .insert(imports)
          .values(row)
          .onConflictDoUpdate({ target: [imports.gate, imports.at], set }),
      )
    },
    of: async (gates, { from, to }) => {
      if (gates.length === 0) return []
      const which = and(inArray(imports.gate, [...gates]), lt(imports.from, to), gte(imports.to, from))
      return await database.query((db) => db.select().from(imports).where(which).orderBy(asc(imports.at), asc(imports.gate)))
    },
  }
}
