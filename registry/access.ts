import { and, asc, eq, lt } from 'drizzle-orm'
import type { AccessRegistry, ApiToken } from './control-port.ts'
import type { Database } from './database.ts'
import { apiTokens, secondFactors } from './tables/control.ts'

export function accessRepository(database: Database): AccessRegistry {
  const toToken = ({ person, ...row }: typeof apiTokens.$inferSelect): ApiToken => ({ ...row, personId: person })
  return {
    addToken: async ({ personId, scopes, ...token }) => {
      await database.query((db) => db.insert(apiTokens).values({ ...token, person: personId, scopes: [...scopes] }))
    },
    tokenByHash: async (tokenHash) => {
      const [row] = await database.query((db) => db.select().from(apiTokens).where(eq(apiTokens.tokenHash, tokenHash)))
      return row && toToken(row)
    },
    tokensOf: async (personId) =>
      (
        await database.query((db) => db.select().from(apiTokens).where(eq(apiTokens.person, personId)).orderBy(asc(apiTokens.createdAt)))
      ).map(toToken),
    removeToken: async (id, personId) => {
      const gone = await database.query((db) =>
        db
          .delete(apiTokens)
          .where(and(eq(apiTokens.id, id), eq(apiTokens.person, personId)))
          .returning({ id: apiTokens.id }),
      )
      return gone.length > 0
    },
    noteTokenUse: async (id, at) => {
      await database.query((db) => db.update(apiTokens).set({ usedAt: at }).where(eq(apiTokens.id, id)))
    },
    secondFactor: async (personId) => {
      const [row] = await database.query((db) => db.select().from(secondFactors).where(eq(secondFactors.person, personId)))
      return row && { secret: row.secret, confirmedAt: row.confirmedAt, lastStep: row.lastStep }
    },
    putSecondFactor: async (personId, secret) => {
      const fresh = { secret, confirmedAt: null, lastStep: 0 }
      await database.query((db) =>
        db
          .insert(secondFactors)
          .values({ person: personId, ...fresh })
          .onConflictDoUpdate({ target: secondFactors.person, set: fresh }),
      )
    },
    confirmSecondFactor: async (personId, at) => {
      await database.query((db) => db.update(secondFactors).set({ confirmedAt: at }).where(eq(secondFactors.person, personId)))
    },
    removeSecondFactor: async (personId) => {
      await database.query((db) => db.delete(secondFactors).where(eq(secondFactors.person, personId)))
    },
    useStep: async (personId, step) => {
      const used = await database.query((db) =>
        db
          .update(secondFactors)
          .set({ lastStep: step })
          .where(and(eq(secondFactors.person, personId), lt(secondFactors.lastStep, step)))
          .returning({ person: secondFactors.person }),
      )
      return used.length > 0
    },
  }
}
