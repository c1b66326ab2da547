import { and, asc, eq, gte, inArray, lt } from 'drizzle-orm'
import type { ManualKind, ManualReading } from '#contract/manual-reading.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Database } from './database.ts'
import { manualReadings } from './tables/analysis.ts'

export type ManualRow = ManualReading & { readonly id: number; readonly by: string; readonly at: number }
/** What became of one reading. `other`: another value stands for that gate, kind and time, and stays. */
export type Entered = { readonly kind: 'added' } | { readonly kind: 'there' } | { readonly kind: 'other'; readonly value: number }
type Asked = { readonly gates: readonly string[]; readonly from: UnixMs; readonly to: UnixMs; readonly kind?: ManualKind }

export type ManualReadings = {
  /** In the order of `readings`. Entering the same again changes nothing. */
  enter(readings: readonly ManualReading[], made: { by: string; at: UnixMs }): Promise<Entered[]>
  /** In [from, to), by time. */
  list(asked: Asked): Promise<ManualRow[]>
}

export function manualReadingRepository(database: Database): ManualReadings {
  return {
    enter: (readings, made) =>
      database.transact(async (db) => {
        const entered: Entered[] = []
        for (const { uncertainty = null, ...reading } of readings) {
          const added = await db
            .insert(manualReadings)
            .values({ ...reading, uncertainty, ...made })
            .onConflictDoNothing()
            .returning({ id: manualReadings.id })
          if (added.length > 0) {
            entered.push({ kind: 'added' })
            continue
          }
          const { gate, kind, t } = reading
          const [there] = await db
            .select({ value: manualReadings.value })
            .from(manualReadings)
            .where(and(eq(manualReadings.gate, gate), eq(manualReadings.kind, kind), eq(manualReadings.t, t)))
          const value = there?.value ?? reading.value
          entered.push(value === reading.value ? { kind: 'there' } : { kind: 'other', value })
        }
        return entered
      }),
    list: async ({ gates, from, to, kind }) => {
      if (gates.length === 0) return []
      const which = and(
        inArray(manualReadings.gate, [...gates]),
        gte(manualReadings.t, from),
        lt(manualReadings.t, to),
        kind === undefined ? undefined : eq(manualReadings.kind, kind),
      )
      const rows = await database.query((db) =>
        db.select().from(manualReadings).where(which).orderBy(asc(manualReadings.t), asc(manualReadings.id)),
      )
      return rows.map(({ uncertainty, ...row }) => ({ ...row, ...(uncertainty !== null && { uncertainty }) }))
    },
  }
}
