import { and, asc, eq, gt, inArray, isNull, lt, type SQL } from 'drizzle-orm'
import type { UnixMs } from '#contract/units.ts'
import type { Database } from './database.ts'
import { corrections } from './tables/analysis.ts'

/** As history takes it (history/corrections.ts). */
export type Ruling =
  | { readonly kind: 'bad' }
  | { readonly kind: 'value'; readonly value: number }
  | { readonly kind: 'samples'; readonly samples: readonly { readonly t: UnixMs; readonly value: number }[] }

export type NewCorrection = {
  readonly gate: string
  readonly metric: string
  /** Inclusive. */
  readonly from: UnixMs
  /** Exclusive. */
  readonly to: UnixMs
  readonly ruling: Ruling
  readonly reason: string
  readonly by: string
  readonly at: UnixMs
}
export type CorrectionRow = NewCorrection & {
  readonly id: number
  readonly withdrawnBy: string | null
  readonly withdrawnAt: UnixMs | null
  readonly withdrawnWhy: string | null
}
type Asked = { readonly gates: readonly string[]; readonly from: UnixMs; readonly to: UnixMs; readonly metric?: string }

/** Corrections lie over the samples and are never removed: one that was wrong is withdrawn and stays in the books. */
export type Corrections = {
  add(correction: NewCorrection): Promise<CorrectionRow>
  byId(id: number): Promise<CorrectionRow | undefined>
  /** @returns false when it is not there or withdrawn already. */
  withdraw(id: number, how: { by: string; at: UnixMs; why: string }): Promise<boolean>
  /** Those in force that touch [from, to), in the order in which they were made: of two that overlap the later holds. */
  inForce(asked: Asked): Promise<CorrectionRow[]>
  /** As inForce, and withdrawn ones too. */
  all(asked: Asked): Promise<CorrectionRow[]>
}

export function correctionRepository(database: Database): Corrections {
  const touching = async ({ gates, from, to, metric }: Asked, more: SQL | undefined): Promise<CorrectionRow[]> => {
    if (gates.length === 0) return []
    const which = and(
      inArray(corrections.gate, [...gates]),
      lt(corrections.from, to),
      gt(corrections.to, from),
      metric === undefined ? undefined : eq(corrections.metric, metric),
      more,
    )
    return (await database.query((db) => db.select().from(corrections).where(which).orderBy(asc(corrections.id)))).map(toRow)
  }
  return {
    add: async (correction) => {
      const [row] = await database.query((db) => db.insert(corrections).values(correction).returning())
      if (!row) throw new Error('the correction that was written did not come back')
      return toRow(row)
    },
    byId: async (id) => {
      const [row] = await database.query((db) => db.select().from(corrections).where(eq(corrections.id, id)))
      return row && toRow(row)
    },
    withdraw: async (id, { by, at, why }) => {
      const rows = await database.query((db) =>
        db
          .update(corrections)
          .set({ withdrawnBy: by, withdrawnAt: at, withdrawnWhy: why })
          .where(and(eq(corrections.id, id), isNull(corrections.withdrawnAt)))
          .returning({ id: corrections.id }),
      )
      return rows.length > 0
    },
    inForce: (asked) => touching(asked, isNull(corrections.withdrawnAt)),
    all: (asked) => touching(asked, undefined),
  }
}

const toRow = ({ from, to, at, withdrawnAt, ...row }: typeof corrections.$inferSelect): CorrectionRow => ({
  ...row,
  from: from as UnixMs,
  to: to as UnixMs,
  at: at as UnixMs,
  withdrawnAt: withdrawnAt as UnixMs | null,
})
