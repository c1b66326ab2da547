import { and, asc, eq, gt, gte, inArray, isNull, lt, or, sql } from 'drizzle-orm'
import { type Alarm, PRIORITIES, type Priority } from '#contract/alarm.ts'
import { type AlarmEvent, afterEvent, untold } from '#contract/alarm-past.ts'
import type { OrderState } from '#contract/order.ts'
import type { JournalRow } from './alarms.ts'
import type { CommandRow, Lockout, OrderRow } from './control-port.ts'
import type { Database, Queries } from './database.ts'
import { alarmJournal, alarms } from './tables/alarms.ts'
import { commands, lockouts, orders } from './tables/control.ts'

/** [from, to), ms since 1970 UTC. */
type Stretch = { readonly from: number; readonly to: number }
/** The alarms raised within one step of a time axis. */
export type PastMark = { readonly at: number; readonly count: number; readonly priority: Priority; readonly alarm: string }
/** What the registry knows of a stretch of the past. */
export type PastRegistry = {
  /**
   * Alarms as they were at `from`, not normal then or told of in the stretch, and what the journal tells of it by time. Priority and limit are those of
   * now. `to` is earlier than asked where the journal tells more than `most`.
   */
  alarms(stretch: Stretch, most: number): Promise<{ readonly at: Alarm[]; readonly events: JournalRow[]; readonly to: number }>
  /** Raised in each step in which any was; `areas` undefined is all, else those and the center's. */
  marks(stretch: Stretch & { readonly stepMs: number; readonly areas?: readonly string[] }): Promise<PastMark[]>
  /** Not ended before the stretch, by time. */
  commands(stretch: Stretch): Promise<CommandRow[]>
  orders(stretch: Stretch): Promise<OrderRow[]>
  tags(stretch: Stretch): Promise<Lockout[]>
}

/** Events that change an alarm: the last of each tells how it stands. */
const CHANGING = ['raised', 'returned', 'acknowledged', 'shelved', 'unshelved', 'out_of_service', 'in_service'] as const
const OPEN = ['sent', 'accepted', 'moving'] as const
const PENDING = ['selected', 'awaiting'] as const

export function pastRepository(database: Database): PastRegistry {
  return {
    alarms: ({ from, to }, most) =>
      database.query(async (db) => {
        const inside = and(gte(alarmJournal.at, from), lt(alarmJournal.at, to), inArray(alarmJournal.event, [...CHANGING]))
        const events = await db
          .select()
          .from(alarmJournal)
          .where(inside)
          .orderBy(asc(alarmJournal.at), asc(alarmJournal.id))
          .limit(most + 1)
        // The last ms may hold more than came with it.
        const end = events.length > most ? (events.at(-1)?.at ?? to) : to
        const told = events.filter((e) => e.at < end)
        return { at: await alarmsAt(db, from, new Set(told.map((e) => e.alarm))), events: told, to: end }
      }),
    marks: ({ from, to, stepMs, areas }) =>
      database.query(async (db) => {
        const rank = sql`array_position(array[${sql.join(
          PRIORITIES.map((p) => sql`${p}`),
          sql`, `,
        )}]::text[], ${alarms.priority})`
        const found = await db
          .select({
            at: sql<string>`min(${alarmJournal.at})`,
            count: sql<number>`count(*)::int`,
            rank: sql<number>`min(${rank})::int`,
            alarm: sql<string>`(array_agg(${alarmJournal.alarm} order by ${rank}, ${alarmJournal.at}))[1]`,
          })
          .from(alarmJournal)
          .innerJoin(alarms, eq(alarms.id, alarmJournal.alarm))
          .where(
            and(
              ...[gte(alarmJournal.at, from), lt(alarmJournal.at, to), eq(alarmJournal.event, 'raised')],
              sql`${alarmJournal.note} <> 'suppressed'`,
              areas === undefined ? undefined : or(isNull(alarmJournal.area), inArray(alarmJournal.area, [...areas])),
            ),
          )
          .groupBy(sql`(${alarmJournal.at} - ${sql.raw(String(from))}) / ${sql.raw(String(stepMs))}`)
          .orderBy(sql`1`)
        return found.map(({ at, count, rank: place, alarm }) => ({
          at: Number(at),
          count,
          priority: PRIORITIES[place - 1] ?? 'low',
          alarm,
        }))
      }),
    commands: ({ from, to }) =>
      database.query((db) =>
        db
          .select()
          .from(commands)
          .where(
            and(
              lt(commands.selectedAt, to),
              or(
                gte(commands.updatedAt, from),
                inArray(commands.state, [...OPEN]),
                and(inArray(commands.state, [...PENDING]), gt(commands.expiresAt, from)),
              ),
            ),
          )
          .orderBy(asc(commands.selectedAt)),
      ),
    orders: async ({ from, to }) => {
      const ended = ['closed', 'cancelled'] satisfies OrderState[]
      const where = and(lt(orders.createdAt, to), or(gte(orders.updatedAt, from), sql`${orders.state} not in ${ended}`))
      const rows = await database.query((db) => db.select().from(orders).where(where).orderBy(asc(orders.createdAt)))
      return rows.map((row) => ({ ...row, state: row.state as OrderState }))
    },
    tags: ({ from, to }) =>
      database.query((db) =>
        db
          .select()
          .from(lockouts)
          .where(and(lt(lockouts.at, to), gt(lockouts.until, from), or(isNull(lockouts.liftedAt), gt(lockouts.liftedAt, from))))
          .orderBy(asc(lockouts.at)),
      ),
  }
}

async function alarmsAt(db: Queries, at: number, touched: ReadonlySet<string>): Promise<Alarm[]> {
  const rows = await db.select().from(alarms).where(gt(alarms.occurrence, 0))
  const events = await lastEvents(db, at)
  return rows.flatMap((row): Alarm[] => {
    const blank = untold({ ...row, limit: row.limit })
    const told = (events.get(row.id) ?? []).toSorted((a, b) => a.at - b.at).reduce(afterEvent, blank)
    const isNormal = !told.active && told.acknowledged && !told.out_of_service && (told.shelved_until ?? 0) <= at
    return isNormal && !touched.has(row.id) ? [] : [told]
  })
}

/** The last of each kind before a moment. The index begins with alarm and event, and occurrences go up with time: a few steps back for each. */
async function lastEvents(db: Queries, at: number): Promise<Map<string, AlarmEvent[]>> {
  const found = new Map<string, AlarmEvent[]>()
  for (const event of CHANGING) {
    const last = sql`lateral (select * from ${alarmJournal} j where j.alarm = ${alarms.id} and j.event = ${event} and j.at < ${at} order by j.occurrence desc, j.at desc limit 1) e`
    const rows = await db
      .select({
        ...{ alarm: alarms.id, occurrence: sql<number>`e.occurrence`, at: sql<string>`e.at`, who: sql<string>`e.who` },
        ...{ note: sql<string>`e.note`, value: sql<number | null>`e.value`, until: sql<string | null>`e.until` },
      })
      .from(alarms)
      .innerJoin(last, sql`true`)
      .where(gt(alarms.occurrence, 0))
    for (const row of rows) {
      const events = found.get(row.alarm) ?? []
      events.push({ ...row, event, at: Number(row.at), until: row.until === null ? null : Number(row.until) })
      found.set(row.alarm, events)
    }
  }
  return found
}
