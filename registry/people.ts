import { randomUUID } from 'node:crypto'
import { asc, eq, lte, type SQL, sql } from 'drizzle-orm'
import { Fault } from '#contract/fault.ts'
import type { Grant } from '#contract/may.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { Database, Queries } from './database.ts'
import type { Person, Registry, Session } from './port.ts'
import { grants, people, sessions } from './schema.ts'

export function peopleRepository(database: Database): Registry['people'] {
  const find = (where: SQL): Promise<Person | undefined> =>
    database.query(async (db) => {
      const rows = await db.select().from(people).leftJoin(grants, eq(grants.person, people.id)).where(where).orderBy(asc(grants.id))
      const [first] = rows
      return (
        first &&
        toPerson(
          first.people,
          rows.flatMap((r) => (r.grants ? [{ role: r.grants.role, area: r.grants.area }] : [])),
        )
      )
    })
  return {
    byLogin: (login) => find(eq(people.login, login)),
    byId: (id) => find(eq(people.id, id)),
    add: (person) =>
      database.transact(async (db) => {
        const { login, name, passwordHash, mustChangePassword } = person
        const row = {
          id: randomUUID(),
          login,
          name,
          passwordHash,
          mustChangePassword,
          failedSignIns: 0,
          lockedUntil: null,
          disabledAt: null,
        }
        await db.insert(people).values(row)
        await putGrants(db, row.id, person.grants)
        return toPerson(row, person.grants)
      }),
    setPassword: async (id, { hash, mustChange }) => {
      const found = await database.query((db) =>
        db.update(people).set({ passwordHash: hash, mustChangePassword: mustChange }).where(eq(people.id, id)).returning({ id: people.id }),
      )
      if (found.length === 0) throw noSuchPerson(id)
    },
    recordFailure: async (id, lockedUntil) => {
      const [row] = await database.query((db) =>
        db
          .update(people)
          .set({ failedSignIns: sql`${people.failedSignIns} + 1`, ...(lockedUntil === null ? {} : { lockedUntil }) })
          .where(eq(people.id, id))
          .returning({ count: people.failedSignIns }),
      )
      if (!row) throw noSuchPerson(id)
      return row.count
    },
    list: () =>
      database.query(async (db) => {
        const rows = await db
          .select()
          .from(people)
          .leftJoin(grants, eq(grants.person, people.id))
          .orderBy(asc(people.login), asc(grants.id))
        const byId = new Map<string, { row: typeof people.$inferSelect; held: Grant[] }>()
        for (const r of rows) {
          const known = byId.get(r.people.id) ?? { row: r.people, held: [] }
          if (r.grants) known.held.push({ role: r.grants.role, area: r.grants.area })
          byId.set(r.people.id, known)
        }
        return [...byId.values()].map(({ row, held }) => toPerson(row, held))
      }),
    change: async (id, { grants: held, ...change }) => {
      await database.transact(async (db) => {
        const [found] = await db.select({ id: people.id }).from(people).where(eq(people.id, id)).for('update')
        if (!found) throw noSuchPerson(id)
        if (Object.keys(change).length > 0) await db.update(people).set(change).where(eq(people.id, id))
        if (held === undefined) return
        await db.delete(grants).where(eq(grants.person, id))
        await putGrants(db, id, held)
      })
      const changed = await find(eq(people.id, id))
      if (!changed) throw noSuchPerson(id)
      return changed
    },
    clearFailures: async (id) => {
      await database.query((db) => db.update(people).set({ failedSignIns: 0, lockedUntil: null }).where(eq(people.id, id)))
    },
  }
}

export function sessionRepository(database: Database): Registry['sessions'] {
  return {
    add: async ({ personId, ...session }) => {
      await database.query((db) => db.insert(sessions).values({ ...session, person: personId }))
    },
    byTokenHash: async (tokenHash) => {
      const [row] = await database.query((db) => db.select().from(sessions).where(eq(sessions.tokenHash, tokenHash)))
      return row && toSession(row)
    },
    remove: async (tokenHash) => {
      await database.query((db) => db.delete(sessions).where(eq(sessions.tokenHash, tokenHash)))
    },
    of: async (personId) =>
      (await database.query((db) => db.select().from(sessions).where(eq(sessions.person, personId)).orderBy(asc(sessions.createdAt)))).map(
        toSession,
      ),
    removeExpired: async (now) => {
      const removed = await database.query((db) =>
        db.delete(sessions).where(lte(sessions.expiresAt, now)).returning({ tokenHash: sessions.tokenHash }),
      )
      return removed.length
    },
    noteSecondFactor: async (tokenHash) => {
      await database.query((db) => db.update(sessions).set({ secondFactor: true }).where(eq(sessions.tokenHash, tokenHash)))
    },
  }
}

async function putGrants(db: Queries, person: string, held: readonly Grant[]): Promise<void> {
  if (held.length > 0) await db.insert(grants).values(held.map(({ role, area }) => ({ person, role, area })))
}

const noSuchPerson = (id: string): Fault => new Fault('NOT_FOUND', `there is no person ${id}`, 'look the person up again')

const time = (ms: number | null): UnixMs | null => (ms === null ? null : unixMs(ms))

const toPerson = (row: typeof people.$inferSelect, held: readonly Grant[]): Person => ({
  id: row.id,
  login: row.login,
  name: row.name,
  passwordHash: row.passwordHash,
  grants: held.map(({ role, area }) => ({ role, area })),
  failedSignIns: row.failedSignIns,
  lockedUntil: time(row.lockedUntil),
  mustChangePassword: row.mustChangePassword,
  disabledAt: time(row.disabledAt),
})

const toSession = (row: typeof sessions.$inferSelect): Session => ({
  tokenHash: row.tokenHash,
  personId: row.person,
  createdAt: unixMs(row.createdAt),
  expiresAt: unixMs(row.expiresAt),
  ip: row.ip,
  agent: row.agent,
  secondFactor: row.secondFactor,
})
