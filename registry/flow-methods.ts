import { asc, eq } from 'drizzle-orm'
import type { FlowMethod } from '#contract/flow-method.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Database } from './database.ts'
import { flowMethods } from './tables/analysis.ts'

export type FlowMethods = {
  /** Adds; nothing that was in force once is changed. */
  set(method: FlowMethod, made: { by: string; at: UnixMs }): Promise<void>
  /** Of every structure that has any: by date, and of one date in the order in which they were set. */
  all(): Promise<ReadonlyMap<string, readonly FlowMethod[]>>
  of(structure: string): Promise<(FlowMethod & { by: string; at: UnixMs })[]>
}

export function flowMethodRepository(database: Database): FlowMethods {
  const order = [asc(flowMethods.from), asc(flowMethods.id)]
  return {
    set: async (method, { by, at }) => {
      await database.query((db) => db.insert(flowMethods).values({ structure: method.structure, from: method.from, method, by, at }))
    },
    all: async () => {
      const rows = await database.query((db) =>
        db
          .select()
          .from(flowMethods)
          .orderBy(...order),
      )
      const byStructure = new Map<string, FlowMethod[]>()
      for (const { method } of rows) byStructure.set(method.structure, [...(byStructure.get(method.structure) ?? []), method])
      return byStructure
    },
    of: async (structure) => {
      const rows = await database.query((db) =>
        db
          .select()
          .from(flowMethods)
          .where(eq(flowMethods.structure, structure))
          .orderBy(...order),
      )
      return rows.map(({ method, by, at }) => ({ ...method, by, at: at as UnixMs }))
    },
  }
}
