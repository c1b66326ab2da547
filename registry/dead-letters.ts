import { createHash } from 'node:crypto'
import { count, desc, sql } from 'drizzle-orm'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { Database } from './database.ts'
import type { DeadLetter, DeadLetterRow, Registry } from './port.ts'
import { deadLetters } from './schema.ts'

type NewRow = typeof deadLetters.$inferInsert

const ROWS_PER_INSERT = 200

export function deadLetterRepository(database: Database): Registry['deadLetters'] {
  return {
    add: async (letters, at) => {
      const rows = foldLetters(letters, at)
      if (rows.length === 0) return
      await database.transact(async (db) => {
        for (let i = 0; i < rows.length; i += ROWS_PER_INSERT) {
          await db
            .insert(deadLetters)
            .values(rows.slice(i, i + ROWS_PER_INSERT))
            .onConflictDoUpdate({
              target: deadLetters.fold,
              set: {
                count: sql`${deadLetters.count} + excluded.count`,
                payload: sql`case when excluded.last_at >= ${deadLetters.lastAt} then excluded.payload else ${deadLetters.payload} end`,
                lastAt: sql`greatest(${deadLetters.lastAt}, excluded.last_at)`,
              },
            })
        }
      })
    },
    list: async ({ limit, offset }) =>
      await database.query(async (db) => {
        const [rows, totals] = [
          await db.select().from(deadLetters).orderBy(desc(deadLetters.lastAt), desc(deadLetters.id)).limit(limit).offset(offset),
          await db.select({ total: count() }).from(deadLetters),
        ]
        return { items: rows.map(toRow), total: totals[0]?.total ?? 0 }
      }),
  }
}

/**
 * One row for each thing that goes wrong. Ordered by key, since two ingest workers that lock the same rows in different order would block
 * each other for good.
 */
export function foldLetters(letters: readonly DeadLetter[], at: UnixMs): NewRow[] {
  const rows = new Map<string, NewRow>()
  for (const letter of letters) {
    const group = storable(letter.group)
    const node = storable(letter.node)
    const reason = storable(letter.reason)
    const payload = storable(letter.payload)
    const device = letter.device === null ? null : storable(letter.device)
    const metric = letter.metric === null ? null : storable(letter.metric)
    const fold = createHash('sha256')
      .update(JSON.stringify([group, node, device, metric, reason, ...(letter.batch === undefined ? [] : [letter.batch])]))
      .digest('hex')
    const before = rows.get(fold)?.count ?? 0
    rows.set(fold, { fold, group, node, device, metric, reason, payload, count: before + 1, firstAt: at, lastAt: at })
  }
  return [...rows.values()].sort((a, b) => (a.fold < b.fold ? -1 : 1))
}

/** PostgreSQL's text holds no NUL; what a foreign node sends may, and must not stop its batch from being filed. */
const storable = (text: string): string => text.replaceAll('\0', '\uFFFD')

const toRow = ({ fold: _fold, firstAt, lastAt, ...row }: typeof deadLetters.$inferSelect): DeadLetterRow => ({
  ...row,
  firstAt: unixMs(firstAt),
  lastAt: unixMs(lastAt),
})
