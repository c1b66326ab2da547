import { and, asc, desc, eq, gt, gte, inArray, isNull, ne, notInArray, or, type SQL, sql } from 'drizzle-orm'
import { type AuditEntry, appendTo } from './audit.ts'
import type { CommandRow, CommandState, ControlRegistry, IssueOutcome, KeyRegistry, Told } from './control-port.ts'
import type { Database, Queries } from './database.ts'
import { commandCounters, commands, holds, lockouts, siteKeys } from './tables/control.ts'

const PENDING: CommandState[] = ['selected', 'awaiting']
/** With the agent, and not ended by its word. */
const OPEN: CommandState[] = ['sent', 'accepted', 'moving']
/** The center's own reason, until the agent says better. */
const NO_ANSWER = 'no_answer'
const KIND = sql`${commands.action}->>'kind'`
const RANK: Record<CommandState, number> = {
  selected: 0,
  awaiting: 0,
  cancelled: 9,
  sent: 1,
  accepted: 2,
  moving: 3,
  done: 9,
  refused: 9,
  failed: 9,
  expired: 9,
}

export function controlRepository(database: Database): ControlRegistry {
  return {
    select: (command, told) =>
      database.transact(async (db) => {
        const [row] = await db
          .insert(commands)
          .values({ ...command, state: 'selected', updatedAt: command.selectedAt })
          .returning()
        return await withEntry(db, found(row), told)
      }),
    command: async (id) => (await database.query((db) => db.select().from(commands).where(eq(commands.id, id))))[0],
    commands: ({ structure, order }, { limit, offset }) =>
      database.query(async (db) => {
        const where = and(
          structure === undefined ? undefined : eq(commands.structure, structure),
          order === undefined ? undefined : eq(commands.order, order),
        )
        const items = await db.select().from(commands).where(where).orderBy(desc(commands.selectedAt)).limit(limit).offset(offset)
        const [count] = await db.select({ n: sql<number>`count(*)::int` }).from(commands).where(where)
        return { items, total: count?.n ?? 0 }
      }),
    cancel: (id, now, told) =>
      database.transact(async (db) => {
        const [row] = await db
          .update(commands)
          .set({ state: 'cancelled', updatedAt: now })
          .where(and(eq(commands.id, id), inArray(commands.state, PENDING)))
          .returning()
        if (row) await withEntry(db, row, told)
        return row !== undefined
      }),
    await: (id, { now, expiresAt, told }) =>
      database.transact(async (db) => {
        const [row] = await db
          .update(commands)
          .set({ state: 'awaiting', updatedAt: now, expiresAt })
          .where(and(eq(commands.id, id), eq(commands.state, 'selected')))
          .returning()
        if (row) await withEntry(db, row, told)
        return row !== undefined
      }),
    issue: (issue) => database.transact((db) => issueIn(db, issue)),
    takeReport: (report, now, told) =>
      database.transact(async (db) => {
        const [row] = await db.select().from(commands).where(eq(commands.id, report.id)).for('update')
        const rank = row && (row.reason === NO_ANSWER ? RANK.sent : RANK[row.state])
        if (!row || rank === undefined || rank >= RANK[report.state] || row.state === 'selected' || row.state === 'awaiting')
          return undefined
        const [changed] = await db
          .update(commands)
          .set({
            state: report.state,
            reason: 'reason' in report ? report.reason : null,
            report,
            updatedAt: now,
            ...(report.state === 'moving' && { movingAt: now }),
          })
          .where(eq(commands.id, report.id))
          .returning()
        return await withEntry(db, found(changed), told)
      }),
    giveUp: (id, now, told) =>
      database.transact(async (db) => {
        const [row] = await db
          .update(commands)
          .set({ state: 'failed', reason: NO_ANSWER, updatedAt: now })
          .where(and(eq(commands.id, id), inArray(commands.state, OPEN)))
          .returning()
        return row && (await withEntry(db, row, told))
      }),
    open: () => database.query((db) => db.select().from(commands).where(inArray(commands.state, OPEN))),
    standing: (structure, since) =>
      database.query(async (db) => {
        const newest = (state: readonly CommandState[], kinds: SQL) =>
          db
            .select()
            .from(commands)
            .where(and(eq(commands.structure, structure), gte(commands.selectedAt, since), inArray(commands.state, [...state]), kinds))
            .orderBy(desc(commands.counter))
            .limit(1)
        const [underWay] = await newest(OPEN, sql`${KIND} <> 'stop'`)
        const [schedule] = await newest([...OPEN, 'done', 'failed'], sql`${KIND} in ('schedule', 'stop')`)
        return { underWay: underWay ?? null, schedule: schedule ?? null }
      }),
    lately: (since) =>
      database.query((db) =>
        db
          .select()
          .from(commands)
          .where(or(inArray(commands.state, OPEN), gte(commands.updatedAt, since))),
      ),
    counters: async (structures) => {
      if (structures.length === 0) return {}
      const rows = await database.query((db) =>
        db
          .select()
          .from(commandCounters)
          .where(inArray(commandCounters.structure, [...structures])),
      )
      return Object.fromEntries(rows.map((r) => [r.structure, r.counter]))
    },
    raiseCounter: async (structure, counter) => {
      await database.query((db) =>
        db
          .insert(commandCounters)
          .values({ structure, counter })
          .onConflictDoUpdate({
            target: commandCounters.structure,
            set: { counter: sql`greatest(${commandCounters.counter}, ${counter})` },
          }),
      )
    },
    lockOut: (lockout, entry) =>
      database.transact(async (db) => {
        await db.insert(lockouts).values(lockout)
        await appendTo(db, entry)
      }),
    lockout: async (id) => (await database.query((db) => db.select().from(lockouts).where(eq(lockouts.id, id))))[0],
    lockouts: (now) =>
      database.query((db) =>
        db
          .select()
          .from(lockouts)
          .where(and(isNull(lockouts.liftedAt), gt(lockouts.until, now)))
          .orderBy(asc(lockouts.at)),
      ),
    lift: (id, { by, at }, entry) =>
      database.transact(async (db) =>
        tellIfAny(
          db,
          await db
            .update(lockouts)
            .set({ liftedBy: by, liftedAt: at })
            .where(and(eq(lockouts.id, id), isNull(lockouts.liftedAt)))
            .returning({ id: lockouts.id }),
          entry,
        ),
      ),
    holds: () => database.query((db) => db.select().from(holds).orderBy(asc(holds.canal))),
    take: (hold, entry) =>
      database.transact(async (db) =>
        tellIfAny(
          db,
          await db
            .insert(holds)
            .values({ ...hold, offeredTo: null })
            .onConflictDoUpdate({
              target: holds.canal,
              set: { login: hold.login, name: hold.name, since: hold.since, offeredTo: null },
              setWhere: sql`${holds.login} = ${hold.login} or ${holds.offeredTo} = ${hold.login}`,
            })
            .returning({ canal: holds.canal }),
          entry,
        ),
      ),
    offer: (canal, { by, to }, entry) =>
      database.transact(async (db) =>
        tellIfAny(
          db,
          await db
            .update(holds)
            .set({ offeredTo: to })
            .where(and(eq(holds.canal, canal), eq(holds.login, by)))
            .returning({ canal: holds.canal }),
          entry,
        ),
      ),
    release: (canal, by, entry) =>
      database.transact(async (db) =>
        tellIfAny(
          db,
          await db
            .delete(holds)
            .where(and(eq(holds.canal, canal), eq(holds.login, by)))
            .returning({ canal: holds.canal }),
          entry,
        ),
      ),
  }
}

/** The chain's lock is taken last, so that who waits for it holds nobody up who has it. */
async function withEntry(db: Queries, row: CommandRow, told: Told): Promise<CommandRow> {
  await appendTo(db, told(row))
  return row
}

/** What was changed is told in the same transaction; where nothing was, nothing is. */
async function tellIfAny(db: Queries, changed: readonly unknown[], entry: AuditEntry): Promise<boolean> {
  if (changed.length > 0) await appendTo(db, entry)
  return changed.length > 0
}

async function issueIn(
  db: Queries,
  { id, now, expiresAt, approvedBy, right, canal, sign, told }: Parameters<ControlRegistry['issue']>[0],
): Promise<IssueOutcome> {
  const [row] = await db.select().from(commands).where(eq(commands.id, id)).for('update')
  if (!row || !PENDING.includes(row.state) || row.expiresAt <= now) return { kind: 'gone' }
  // The row of the counter is the lock: of two nodes that issue for one structure the second sees what the first has sent.
  const [issued] = await db
    .insert(commandCounters)
    .values({ structure: row.structure, counter: 1 })
    .onConflictDoUpdate({ target: commandCounters.structure, set: { counter: sql`${commandCounters.counter} + 1` } })
    .returning()
  const counter = found(issued).counter
  if (right === 'in turn') {
    const refusal = await obstacle(db, row, { now, canal, people: approvedBy === null ? [row.by] : [row.by, approvedBy] })
    if (refusal) return refusal
  }
  const [sent] = await db
    .update(commands)
    .set({ state: 'sent', counter, signed: sign({ ...row, approvedBy }, counter), approvedBy, confirmedAt: now, expiresAt, updatedAt: now })
    .where(eq(commands.id, id))
    .returning()
  return { kind: 'issued', row: await withEntry(db, found(sent), told) }
}

async function obstacle(
  db: Queries,
  row: CommandRow,
  { now, canal, people }: { readonly now: number; readonly canal: string; readonly people: readonly string[] },
): Promise<IssueOutcome | null> {
  const [tag] = await db
    .select()
    .from(lockouts)
    .where(and(eq(lockouts.structure, row.structure), isNull(lockouts.liftedAt), gt(lockouts.until, now)))
    .limit(1)
  if (tag) return { kind: 'tagged_out', lockout: tag }
  const [hold] = await db
    .select()
    .from(holds)
    .where(and(eq(holds.canal, canal), notInArray(holds.login, [...people])))
    .limit(1)
  if (hold) return { kind: 'held', hold }
  const [other] = await db
    .select()
    .from(commands)
    .where(and(eq(commands.structure, row.structure), inArray(commands.state, OPEN), sql`${KIND} <> 'stop'`))
    .limit(1)
  if (other) return { kind: 'busy', other }
  return (await isOutdated(db, row)) ? { kind: 'gone' } : null
}

/** Presets are ordered as a whole: what was put together before another changed them, or before a stop cancelled them, would undo that unseen. */
async function isOutdated(db: Queries, { id, structure, action, selectedAt }: CommandRow): Promise<boolean> {
  if (action.kind !== 'schedule') return false
  const [later] = await db
    .select({ id: commands.id })
    .from(commands)
    .where(
      and(
        eq(commands.structure, structure),
        ne(commands.id, id),
        gte(commands.confirmedAt, selectedAt),
        sql`${KIND} in ('schedule', 'stop')`,
      ),
    )
    .limit(1)
  return later !== undefined
}

export function keyRepository(database: Database): KeyRegistry {
  return {
    put: async (keys) => {
      if (keys.length === 0) return
      const { area, siteKey, mqttUser, mqttHash, madeAt } = siteKeys
      const given = (column: { name: string }) => sql.raw(`excluded.${column.name}`)
      await database.query((db) =>
        db
          .insert(siteKeys)
          .values(keys.map((key) => ({ ...key, revokedAt: null })))
          .onConflictDoUpdate({
            target: siteKeys.site,
            set: {
              area: given(area),
              siteKey: given(siteKey),
              mqttUser: given(mqttUser),
              mqttHash: given(mqttHash),
              madeAt: given(madeAt),
              revokedAt: null,
            },
          }),
      )
    },
    all: () => database.query((db) => db.select().from(siteKeys).orderBy(asc(siteKeys.site))),
    revoke: async (site, at) => {
      const changed = await database.query((db) =>
        db
          .update(siteKeys)
          .set({ revokedAt: at })
          .where(and(eq(siteKeys.site, site), isNull(siteKeys.revokedAt)))
          .returning({ site: siteKeys.site }),
      )
      return changed.length > 0
    },
  }
}

function found<T>(row: T | undefined): T {
  if (row === undefined) throw new Error('the database returned no row for what it wrote')
  return row
}
