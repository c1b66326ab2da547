import { and, asc, desc, eq, gte, inArray, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import type { OpenItem } from '#contract/http/shift-log.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Database } from './database.ts'
import type { Page, Paged } from './port.ts'
import { handovers, shiftEntries } from './tables/shift-log.ts'

type Made = { readonly at: number; readonly by: string; readonly byName: string }
export type NewShiftEntry = Made & {
  readonly area: string | null
  readonly gate: string | null
  readonly alarm: string | null
  readonly text: string
  readonly amends: number | null
  readonly open: boolean
}
export type ShiftEntry = NewShiftEntry & { readonly id: number; readonly closedAt: number | null; readonly closedBy: string | null }
export type NewHandover = Made & { readonly area: string | null; readonly note: string; readonly items: readonly OpenItem[] }
export type Handover = Omit<NewHandover, 'items'> & {
  readonly id: number
  readonly items: OpenItem[]
  readonly takenAt: number | null
  readonly takenBy: string | null
  readonly takenByName: string | null
}

/** `areas` undefined: all; else those areas, and what concerns the whole district. */
type Seen = { readonly areas?: readonly string[] }
export type EntryFilter = Seen & { readonly gate?: string; readonly alarm?: string; readonly from?: number; readonly to?: number }

export type ShiftLog = {
  write(entry: NewShiftEntry): Promise<ShiftEntry>
  entry(id: number): Promise<ShiftEntry | undefined>
  /** Newest first. */
  entries(filter: EntryFilter, page: Page): Promise<Paged<ShiftEntry>>
  /** Those to be followed up and not closed, oldest first. */
  open(seen: Seen): Promise<ShiftEntry[]>
  /** @returns false when it was not open any more. */
  close(id: number, by: { who: string; at: UnixMs }): Promise<boolean>
  handOver(handover: NewHandover): Promise<Handover>
  handover(id: number): Promise<Handover | undefined>
  /** Newest first. */
  handovers(seen: Seen, page: Page): Promise<Paged<Handover>>
  /** @returns false when somebody has taken it already. */
  take(id: number, by: { who: string; name: string; at: UnixMs }): Promise<boolean>
}

export function shiftLogRepository(database: Database): ShiftLog {
  const inSight = (column: typeof shiftEntries.area | typeof handovers.area, areas: readonly string[] | undefined): SQL | undefined =>
    areas === undefined ? undefined : or(isNull(column), inArray(column, [...areas]))
  const isOpen = and(eq(shiftEntries.open, true), isNull(shiftEntries.closedAt))
  return {
    write: async (entry) => {
      const [row] = await database.query((db) => db.insert(shiftEntries).values(entry).returning())
      if (!row) throw new Error('the entry that was written did not come back')
      return row
    },
    entry: async (id) => (await database.query((db) => db.select().from(shiftEntries).where(eq(shiftEntries.id, id))))[0],
    entries: ({ areas, gate, alarm, from, to }, { limit, offset }) =>
      database.query(async (db) => {
        const where = and(
          inSight(shiftEntries.area, areas),
          gate === undefined ? undefined : eq(shiftEntries.gate, gate),
          alarm === undefined ? undefined : eq(shiftEntries.alarm, alarm),
          from === undefined ? undefined : gte(shiftEntries.at, from),
          to === undefined ? undefined : lt(shiftEntries.at, to),
        )
        const items = await db.select().from(shiftEntries).where(where).orderBy(desc(shiftEntries.id)).limit(limit).offset(offset)
        const [count] = await db.select({ n: sql<number>`count(*)::int` }).from(shiftEntries).where(where)
        return { items, total: count?.n ?? 0 }
      }),
    open: ({ areas }) =>
      database.query((db) =>
        db
          .select()
          .from(shiftEntries)
          .where(and(isOpen, inSight(shiftEntries.area, areas)))
          .orderBy(asc(shiftEntries.id)),
      ),
    close: async (id, { who, at }) => {
      const closed = await database.query((db) =>
        db
          .update(shiftEntries)
          .set({ closedAt: at, closedBy: who })
          .where(and(eq(shiftEntries.id, id), isOpen))
          .returning({ id: shiftEntries.id }),
      )
      return closed.length > 0
    },
    handOver: async (handover) => {
      const [row] = await database.query((db) =>
        db
          .insert(handovers)
          .values({ ...handover, items: [...handover.items] })
          .returning(),
      )
      if (!row) throw new Error('the handover that was written did not come back')
      return row
    },
    handover: async (id) => (await database.query((db) => db.select().from(handovers).where(eq(handovers.id, id))))[0],
    handovers: ({ areas }, { limit, offset }) =>
      database.query(async (db) => {
        const where = inSight(handovers.area, areas)
        const items = await db.select().from(handovers).where(where).orderBy(desc(handovers.id)).limit(limit).offset(offset)
        const [count] = await db.select({ n: sql<number>`count(*)::int` }).from(handovers).where(where)
        return { items, total: count?.n ?? 0 }
      }),
    take: async (id, { who, name, at }) => {
      const taken = await database.query((db) =>
        db
          .update(handovers)
          .set({ takenAt: at, takenBy: who, takenByName: name })
          .where(and(eq(handovers.id, id), isNull(handovers.takenAt)))
          .returning({ id: handovers.id }),
      )
      return taken.length > 0
    },
  }
}
