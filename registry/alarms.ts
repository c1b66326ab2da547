import { and, desc, eq, gte, inArray, or, type SQL, sql } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import type { Alarm, AlarmKind, JournalEvent, Priority, RuleSetting } from '#contract/alarm.ts'
import type { Database, Queries } from './database.ts'
import type { Page, Paged } from './port.ts'
import { alarmJournal, alarmRules, alarms } from './tables/alarms.ts'

/** What ingest knows of an alarm's condition. */
export type ConditionRow = {
  readonly id: string
  readonly kind: AlarmKind
  readonly area: string | null
  readonly site: string | null
  readonly gate: string | null
  readonly priority: Priority
  readonly phase: 'normal' | 'rising' | 'active' | 'falling'
  readonly since: number | null
  readonly clearSince: number | null
  readonly sampleAt: number | null
  readonly occurrence: number
  readonly value: number | null
  readonly limit: number | null
  readonly suppressed: boolean
  readonly raisedAt: number | null
  readonly returnedAt: number | null
}
export type JournalEntry = {
  readonly alarm: string
  readonly area: string | null
  readonly occurrence: number
  readonly event: JournalEvent
  readonly at: number
  /** Sign-in name, or empty for the process itself. */
  readonly who: string
  readonly note: string
  readonly value: number | null
  /** Of a shelving: when it ends by itself. */
  readonly until?: number | null
}
export type JournalRow = JournalEntry & { readonly id: number; readonly until: number | null }

/** What a person does with alarms. */
export type AlarmDeed =
  | { readonly do: 'acknowledge' }
  | { readonly do: 'shelve'; readonly until: number; readonly reason: string }
  | { readonly do: 'unshelve' }
  | { readonly do: 'comment'; readonly note: string }
  | { readonly do: 'out_of_service'; readonly out: boolean; readonly reason: string }

export type AlarmCounts = {
  readonly buckets: { from: number; area: string | null; raised: number }[]
  readonly frequent: { alarm: string; area: string | null; raised: number }[]
}
export type AlarmRegistry = {
  conditions(): Promise<ConditionRow[]>
  /** Durable when it resolves, all or nothing; what is there already is not told twice. */
  save(rows: readonly ConditionRow[], entries: readonly JournalEntry[]): Promise<void>
  settings(): Promise<Map<string, RuleSetting>>
  setRule(id: string, setting: RuleSetting, by: { who: string; at: number; area: string | null }): Promise<void>
  alarm(id: string): Promise<Alarm | undefined>
  /** All that an operator may still have to look at: active, unacknowledged, shelved, out of service. */
  present(): Promise<Alarm[]>
  /** Rows changed since a moment of the database's clock, and that clock now. A later call overlaps by the length of a transaction. */
  changed(since: number): Promise<{ now: number; alarms: Alarm[] }>
  /** @returns those that were changed by it. */
  act(ids: readonly string[], deed: AlarmDeed, by: { who: string; at: number }): Promise<Alarm[]>
  /** Raised in each ten minutes by area, without those suppressed, and alarms raised at least `chattering` times. */
  counts(span: { readonly from: number; readonly to: number; readonly chattering: number }): Promise<AlarmCounts>
  journal(
    filter: { readonly alarms?: readonly string[]; readonly areas?: readonly string[]; readonly from?: number; readonly to?: number },
    page: Page,
  ): Promise<Paged<JournalRow>>
}

const NOW_MS = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`
/** Rows of one statement: PostgreSQL takes 65,535 parameters. */
const AT_ONCE = 1000
const TEN_MINUTES_MS = 600_000

const toAlarm = (row: typeof alarms.$inferSelect): Alarm => ({
  id: row.id,
  kind: row.kind,
  area: row.area,
  site: row.site,
  gate: row.gate,
  priority: row.priority,
  active: row.phase === 'active' || row.phase === 'falling',
  acknowledged: row.acknowledged >= row.occurrence,
  suppressed: row.suppressed,
  occurrence: row.occurrence,
  raised_at: row.raisedAt,
  returned_at: row.returnedAt,
  value: row.value,
  limit: row.limit,
  acknowledged_by: row.acknowledgedBy,
  acknowledged_at: row.acknowledgedAt,
  shelved_until: row.shelvedUntil,
  shelved_by: row.shelvedBy,
  shelve_reason: row.shelveReason,
  out_of_service: row.outOfService,
  rev: row.rev,
})

export function alarmRepository(database: Database): AlarmRegistry {
  return {
    conditions: () => database.query((db) => db.select().from(alarms)),
    save: (rows, entries) =>
      database.transact(async (db) => {
        for (let i = 0; i < rows.length; i += AT_ONCE) await upsert(db, rows.slice(i, i + AT_ONCE))
        await append(db, entries)
      }),
    settings: async () => {
      const rows = await database.query((db) => db.select().from(alarmRules))
      return new Map(rows.map((r) => [r.id, r.setting]))
    },
    setRule: (id, setting, { who, at, area }) =>
      database.transact(async (db) => {
        const row = { setting, by: who, at }
        await db
          .insert(alarmRules)
          .values({ id, ...row })
          .onConflictDoUpdate({ target: alarmRules.id, set: row })
        await append(db, [
          { alarm: id, area, occurrence: 0, event: 'rule_set', at, who, note: JSON.stringify(setting), value: setting.limit },
        ])
      }),
    alarm: async (id) => {
      const [row] = await database.query((db) => db.select().from(alarms).where(eq(alarms.id, id)))
      return row && toAlarm(row)
    },
    present: async () => {
      const rows = await database.query((db) => db.select().from(alarms).where(isPresent()).orderBy(desc(alarms.raisedAt), alarms.id))
      return rows.map(toAlarm)
    },
    changed: (since) =>
      database.query(async (db) => {
        const [clock] = await db.select({ now: NOW_MS }).from(sql`(select 1) as one`)
        const rows = await db.select().from(alarms).where(gte(alarms.changedAt, since))
        return { now: Number(clock?.now ?? 0), alarms: rows.map(toAlarm) }
      }),
    act: (ids, deed, by) =>
      database.transact(async (db) => {
        const changed: Alarm[] = []
        for (let i = 0; i < ids.length; i += AT_ONCE) changed.push(...(await perform(db, ids.slice(i, i + AT_ONCE), { deed, by })))
        return changed
      }),
    counts: ({ from, to, chattering }) =>
      database.query(async (db) => {
        const raised = sql<number>`count(*)::int`
        const bucket = sql<number>`(${alarmJournal.at} / ${sql.raw(String(TEN_MINUTES_MS))} * ${sql.raw(String(TEN_MINUTES_MS))})::bigint`
        const where = and(
          eq(alarmJournal.event, 'raised'),
          gte(alarmJournal.at, from),
          sql`${alarmJournal.at} < ${to}`,
          sql`${alarmJournal.note} <> 'suppressed'`,
        )
        const { area, alarm } = alarmJournal
        const buckets = await db
          .select({ from: bucket, area, raised })
          .from(alarmJournal)
          .where(where)
          .groupBy(sql`1`, area)
          .orderBy(sql`1`)
        const frequent = await db
          .select({ alarm, area, raised })
          .from(alarmJournal)
          .where(where)
          .groupBy(alarm, area)
          .having(sql`count(*) >= ${chattering}`)
          .orderBy(desc(raised))
        return { buckets: buckets.map((b) => ({ ...b, from: Number(b.from) })), frequent }
      }),
    journal: ({ alarms: ids, areas, from, to }, { limit, offset }) =>
      database.query(async (db) => {
        const where = and(
          ids === undefined ? undefined : oneOf(alarmJournal.alarm, ids),
          areas === undefined ? undefined : oneOf(alarmJournal.area, areas),
          from === undefined ? undefined : gte(alarmJournal.at, from),
          to === undefined ? undefined : sql`${alarmJournal.at} < ${to}`,
        )
        const items = await db
          .select()
          .from(alarmJournal)
          .where(where)
          .orderBy(desc(alarmJournal.at), desc(alarmJournal.id))
          .limit(limit)
          .offset(offset)
        const [count] = await db.select({ n: sql<number>`count(*)::int` }).from(alarmJournal).where(where)
        return { items, total: count?.n ?? 0 }
      }),
  }
}

const oneOf = (column: AnyPgColumn, values: readonly string[]): SQL => (values.length === 0 ? sql`false` : inArray(column, [...values]))

const isPresent = (): SQL | undefined =>
  or(
    inArray(alarms.phase, ['active', 'falling']),
    sql`${alarms.acknowledged} < ${alarms.occurrence}`,
    sql`${alarms.shelvedUntil} > ${NOW_MS}`,
    alarms.outOfService,
  )

/** Columns that ingest owns. */
const CONDITION = [
  'priority',
  'phase',
  'since',
  'clearSince',
  'sampleAt',
  'occurrence',
  'value',
  'limit',
  'suppressed',
  'raisedAt',
  'returnedAt',
  'area',
  'site',
  'gate',
] as const satisfies readonly (keyof ConditionRow)[]

async function upsert(db: Queries, rows: readonly ConditionRow[]): Promise<void> {
  const set = Object.fromEntries(CONDITION.map((key) => [key, sql.raw(`excluded."${alarms[key].name}"`)]))
  await db
    .insert(alarms)
    .values(rows.map((row) => ({ ...row, changedAt: NOW_MS as unknown as number })))
    .onConflictDoUpdate({ target: alarms.id, set: { ...set, rev: sql`${alarms.rev} + 1`, changedAt: NOW_MS } })
}

async function append(db: Queries, entries: readonly JournalEntry[]): Promise<void> {
  for (let i = 0; i < entries.length; i += AT_ONCE)
    await db
      .insert(alarmJournal)
      .values(entries.slice(i, i + AT_ONCE))
      .onConflictDoNothing()
}

type Doing = { readonly deed: AlarmDeed; readonly by: { readonly who: string; readonly at: number } }

async function perform(db: Queries, ids: readonly string[], { deed, by }: Doing): Promise<Alarm[]> {
  const { set, event, note, until = null, only } = writingOf(deed, by)
  const rows = await db
    .update(alarms)
    .set({ ...set, rev: sql`${alarms.rev} + 1`, changedAt: NOW_MS })
    .where(and(inArray(alarms.id, [...ids]), only))
    .returning()
  await append(
    db,
    rows.map(({ id, area, occurrence, value }) => ({ alarm: id, area, occurrence, event, at: by.at, who: by.who, note, value, until })),
  )
  return rows.map(toAlarm)
}

type Writing = { set: Record<string, unknown>; event: JournalEvent; note: string; until?: number; only?: SQL }
function writingOf(deed: AlarmDeed, by: Doing['by']): Writing {
  switch (deed.do) {
    case 'acknowledge':
      return {
        set: { acknowledged: sql`${alarms.occurrence}`, acknowledgedBy: by.who, acknowledgedAt: by.at },
        event: 'acknowledged',
        note: '',
        only: sql`${alarms.acknowledged} < ${alarms.occurrence}`,
      }
    case 'shelve':
      return {
        set: { shelvedUntil: deed.until, shelvedBy: by.who, shelveReason: deed.reason },
        event: 'shelved',
        note: deed.reason,
        until: deed.until,
      }
    case 'unshelve':
      return {
        set: { shelvedUntil: null, shelvedBy: null, shelveReason: null },
        event: 'unshelved',
        note: '',
        only: sql`${alarms.shelvedUntil} is not null`,
      }
    case 'comment':
      return { set: {}, event: 'commented', note: deed.note }
    case 'out_of_service':
      return { set: { outOfService: deed.out }, event: deed.out ? 'out_of_service' : 'in_service', note: deed.reason }
  }
}
