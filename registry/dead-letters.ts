import { createHash } from 'node:crypto'
import { and, asc, count, desc, eq, isNull, or, sql } from 'drizzle-orm'
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
                // A batch that comes again is the same; anything else that has come now was not replayed.
                replayState: sql`case when ${deadLetters.batch} is null then null else ${deadLetters.replayState} end`,
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
    askReplay: async ({ group, node, device }, { by, at }) => {
      const source = and(
        eq(deadLetters.group, group),
        eq(deadLetters.node, node),
        device === null ? isNull(deadLetters.device) : eq(deadLetters.device, device),
      )
      const open = or(isNull(deadLetters.replayState), eq(deadLetters.replayState, 'refused'))
      const asked = { replayState: 'asked' as const, replayBy: by, replayAt: at, replaySamples: 0, replayNote: '' }
      const rows = await database.query((db) =>
        db.update(deadLetters).set(asked).where(and(source, open)).returning({ id: deadLetters.id }),
      )
      return rows.length
    },
    asked: async (limit) => {
      const rows = await database.query((db) =>
        db
          .select()
          .from(deadLetters)
          .where(eq(deadLetters.replayState, 'asked'))
          .orderBy(asc(deadLetters.firstAt), asc(deadLetters.id))
          .limit(limit),
      )
      return rows.map(toRow)
    },
    settleReplay: async (id, { state, at, samples, note }) => {
      const set = { replayState: state, replayAt: at, replaySamples: samples, replayNote: storable(note) }
      await database.query((db) =>
        db
          .update(deadLetters)
          .set(set)
          .where(and(eq(deadLetters.id, id), eq(deadLetters.replayState, 'asked'))),
      )
    },
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
    rows.set(fold, {
      fold,
      group,
      node,
      device,
      metric,
      reason,
      batch: letter.batch ?? null,
      payload,
      count: before + 1,
      firstAt: at,
      lastAt: at,
    })
  }
  return [...rows.values()].sort((a, b) => (a.fold < b.fold ? -1 : 1))
}

/** PostgreSQL's text holds no NUL; what a foreign node sends may, and must not stop its batch from being filed. */
const storable = (text: string): string => text.replaceAll('\0', '\uFFFD')

const toRow = ({
  fold: _fold,
  batch: _batch,
  firstAt,
  lastAt,
  replayState,
  replayBy,
  replayAt,
  replaySamples,
  replayNote,
  ...row
}: typeof deadLetters.$inferSelect): DeadLetterRow => ({
  ...row,
  firstAt: unixMs(firstAt),
  lastAt: unixMs(lastAt),
  replay:
    replayState === null
      ? null
      : { state: replayState, by: replayBy ?? '', at: unixMs(replayAt ?? 0), samples: replaySamples ?? 0, note: replayNote ?? '' },
})
