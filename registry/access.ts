import { and, asc, count, eq, isNull, lt } from 'drizzle-orm'
import type { UnixMs } from '#contract/units.ts'
import type { Database } from './database.ts'
import { apiTokens, recoveryCodes, secondFactors } from './tables/access.ts'

/** API tokens and second factors. */

export type ApiToken = {
  readonly id: string
  readonly tokenHash: string
  readonly personId: string
  /** Unique for the person. */
  readonly name: string
  readonly scopes: readonly string[]
  /** Null: wherever the person may. */
  readonly area: string | null
  readonly createdAt: number
  readonly expiresAt: number
  readonly usedAt: number | null
}
export type SecondFactor = {
  /** Base32, in force; null before the first was confirmed. */
  readonly secret: string | null
  readonly confirmedAt: number | null
  /** Base32, shown and not confirmed yet. */
  readonly pending: string | null
  readonly pendingAt: number | null
}
export type AccessRegistry = {
  /** @throws Fault CONFLICT when the person has a token of this name. */
  addToken(token: Omit<ApiToken, 'usedAt'>): Promise<void>
  tokenByHash(tokenHash: string): Promise<ApiToken | undefined>
  tokensOf(personId: string): Promise<ApiToken[]>
  removeToken(id: string, personId: string): Promise<ApiToken | undefined>
  noteTokenUse(id: string, at: UnixMs): Promise<void>
  secondFactor(personId: string): Promise<SecondFactor | undefined>
  /** When each person's was confirmed, by person. */
  confirmedFactors(): Promise<ReadonlyMap<string, number>>
  /** What is in force stays in force until this is confirmed. */
  proposeSecondFactor(personId: string, secret: string, at: UnixMs): Promise<void>
  /** Puts the pending secret in force with these recovery codes alone. @returns false when it is no longer the pending one. */
  confirmSecondFactor(
    personId: string,
    confirmed: { readonly secret: string; readonly at: UnixMs; readonly step: number; readonly recoveryHashes: readonly string[] },
  ): Promise<boolean>
  /** With its recovery codes. @returns false when there was none. */
  removeSecondFactor(personId: string): Promise<boolean>
  /** @returns false when this step's code, or a later one, was used already. */
  useStep(personId: string, step: number): Promise<boolean>
  /** @returns false when the person has no such code, or has used it. */
  useRecoveryCode(personId: string, codeHash: string, at: UnixMs): Promise<boolean>
  recoveryCodesLeft(personId: string): Promise<number>
}

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
      const [gone] = await database.query((db) =>
        db
          .delete(apiTokens)
          .where(and(eq(apiTokens.id, id), eq(apiTokens.person, personId)))
          .returning(),
      )
      return gone && toToken(gone)
    },
    noteTokenUse: async (id, at) => {
      await database.query((db) => db.update(apiTokens).set({ usedAt: at }).where(eq(apiTokens.id, id)))
    },
    secondFactor: async (personId) => {
      const [row] = await database.query((db) => db.select().from(secondFactors).where(eq(secondFactors.person, personId)))
      return row && { secret: row.secret, confirmedAt: row.confirmedAt, pending: row.pending, pendingAt: row.pendingAt }
    },
    confirmedFactors: async () => {
      const rows = await database.query((db) =>
        db.select({ person: secondFactors.person, at: secondFactors.confirmedAt }).from(secondFactors),
      )
      return new Map(rows.flatMap(({ person, at }) => (at === null ? [] : [[person, at] as const])))
    },
    proposeSecondFactor: async (personId, pending, pendingAt) => {
      await database.query((db) =>
        db
          .insert(secondFactors)
          .values({ person: personId, pending, pendingAt })
          .onConflictDoUpdate({ target: secondFactors.person, set: { pending, pendingAt } }),
      )
    },
    confirmSecondFactor: (personId, { secret, at, step, recoveryHashes }) =>
      database.transact(async (db) => {
        const confirmed = await db
          .update(secondFactors)
          .set({ secret, confirmedAt: at, lastStep: step, pending: null, pendingAt: null })
          .where(and(eq(secondFactors.person, personId), eq(secondFactors.pending, secret)))
          .returning({ person: secondFactors.person })
        if (confirmed.length === 0) return false
        await db.delete(recoveryCodes).where(eq(recoveryCodes.person, personId))
        await db.insert(recoveryCodes).values(recoveryHashes.map((codeHash) => ({ codeHash, person: personId })))
        return true
      }),
    removeSecondFactor: (personId) =>
      database.transact(async (db) => {
        await db.delete(recoveryCodes).where(eq(recoveryCodes.person, personId))
        const gone = await db.delete(secondFactors).where(eq(secondFactors.person, personId)).returning({ at: secondFactors.confirmedAt })
        return gone.some(({ at }) => at !== null)
      }),
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
    useRecoveryCode: async (personId, codeHash, at) => {
      const used = await database.query((db) =>
        db
          .update(recoveryCodes)
          .set({ usedAt: at })
          .where(and(eq(recoveryCodes.person, personId), eq(recoveryCodes.codeHash, codeHash), isNull(recoveryCodes.usedAt)))
          .returning({ person: recoveryCodes.person }),
      )
      return used.length > 0
    },
    recoveryCodesLeft: async (personId) => {
      const [row] = await database.query((db) =>
        db
          .select({ n: count() })
          .from(recoveryCodes)
          .where(and(eq(recoveryCodes.person, personId), isNull(recoveryCodes.usedAt))),
      )
      return row?.n ?? 0
    },
  }
}
