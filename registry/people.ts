import { randomUUID } from 'node:crypto'
import { asc, eq, lte, type SQL, sql } from 'drizzle-orm'
import { Fault } from '#contract/fault.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { Database } from './database.ts'
import type { Grant, Person, Registry, Session } from './port.ts'
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
        const { login, name, passwordHash } = person
        const row = { id: randomUUID(), login, name, passwordHash, failedSignIns: 0, lockedUntil: null }
        await db.insert(people).values(row)
        if (person.grants.length > 0)
          await db.insert(grants).values(person.grants.map(({ role, area }) => ({ person: row.id, role, area })))
        return toPerson(row, person.grants)
      }),
    setPassword: async (id, passwordHash) => {
      const found = await database.query((db) =>
        db.update(people).set({ passwordHash }).where(eq(people.id, id)).returning({ id: people.id }),
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
    setGrants: (id, held) =>
      database.transact(async (db) => {
        await db.delete(grants).where(eq(grants.person, id))
        if (held.length > 0) await db.insert(grants).values(held.map(({ role, area }) => ({ person: id, role, area })))
      }),
    remove: async (id) => {
      await database.query((db) => db.delete(people).where(eq(people.id, id)))
    },
    clearFailures: async (id) => {
      await database.query((db) => db.update(people).set({ failedSignIns: 0, lockedUntil: null }).where(eq(people.id, id)))
    },
  }
}

export function sessionRepository(database: Database): Registry['sessions'] {
  return {
    add: async ({ tokenHash, personId, createdAt, expiresAt }) => {
      await database.query((db) => db.insert(sessions).values({ tokenHash, person: personId, createdAt, expiresAt }))
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
  }
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
})

const toSession = (row: typeof sessions.$inferSelect): Session => ({
  tokenHash: row.tokenHash,
  personId: row.person,
  createdAt: unixMs(row.createdAt),
  expiresAt: unixMs(row.expiresAt),
})
