import { desc, eq, inArray, isNull, or, sql } from 'drizzle-orm'
import type { ConsultationView } from '#contract/http/consultation.ts'
import { type AuditEntry, appendTo } from './audit.ts'
import type { Database } from './database.ts'
import type { Page, Paged } from './port.ts'
import { consultations } from './tables/consultations.ts'

export type ConsultationRow = {
  readonly id: string
  readonly area: string | null
  readonly title: string
  readonly from: number
  readonly to: number
  readonly views: ConsultationView[]
  readonly conclusions: string
  readonly at: number
  readonly by: string
  readonly byName: string
}
export type Consultations = {
  /** The record and the audit entry about it: both or neither. */
  add(record: ConsultationRow, entry: AuditEntry): Promise<void>
  one(id: string): Promise<ConsultationRow | undefined>
  /** Newest first. `areas` undefined: all; else those areas, and what concerns the whole district. */
  list(seen: { readonly areas?: readonly string[] }, page: Page): Promise<Paged<ConsultationRow>>
}

export function consultationRepository(database: Database): Consultations {
  return {
    add: (record, entry) =>
      database.transact(async (db) => {
        await db.insert(consultations).values(record)
        await appendTo(db, entry)
      }),
    one: async (id) => (await database.query((db) => db.select().from(consultations).where(eq(consultations.id, id))))[0],
    list: ({ areas }, { limit, offset }) =>
      database.query(async (db) => {
        const where = areas === undefined ? undefined : or(isNull(consultations.area), inArray(consultations.area, [...areas]))
        const newest = [desc(consultations.at), desc(consultations.id)]
        const items = await db
          .select()
          .from(consultations)
          .where(where)
          .orderBy(...newest)
          .limit(limit)
          .offset(offset)
        const [count] = await db.select({ n: sql<number>`count(*)::int` }).from(consultations).where(where)
        return { items, total: count?.n ?? 0 }
      }),
  }
}
