import { createHash } from 'node:crypto'
import { and, asc, desc, gt, gte, inArray, lt, lte, or, type SQL, sql } from 'drizzle-orm'
import { canonicalJson } from '#contract/canonical.ts'
import type { Database, Queries } from './database.ts'
import type { Page, Paged } from './port.ts'
import { audit } from './schema.ts'

/** The audit trail as a chain: each entry holds the hash of the one before, so that none can be changed, left out or slipped in unseen. */

export type AuditEntry = {
  readonly at: number
  readonly who: string
  readonly action: string
  readonly subject: string
  readonly details: Record<string, unknown>
}
export type AuditRow = AuditEntry & { readonly id: number; readonly prevHash: string | null; readonly hash: string | null }
export type ChainVerdict =
  /** `unchained`: entries of before there was a chain. `head`: the last hash; kept elsewhere, it shows later whether the end was cut off. */
  | { readonly kind: 'whole'; readonly entries: number; readonly unchained: number; readonly head: string }
  | { readonly kind: 'broken'; readonly id: number; readonly what: string }

export type AuditFilter = {
  readonly action?: string | undefined
  /** The action's part before the dot. */
  readonly kind?: string | undefined
  /** Of a person, what was done with their tokens too. */
  readonly who?: string | undefined
  readonly subject?: string | undefined
  /** A structure: as the subject, or named in the details. */
  readonly gate?: string | undefined
  /** Only entries about one of these: as the subject, or a structure named in the details. */
  readonly about?: readonly string[] | undefined
  readonly from?: number | undefined
  /** Exclusive. */
  readonly to?: number | undefined
  /** Older than this id: to go through the whole without counting from the start each time. */
  readonly before?: number | undefined
}

export type AuditRegistry = {
  /** Append-only. `details` is JSON. */
  append(entry: AuditEntry): Promise<void>
  /** Newest first. */
  list(filter: AuditFilter, page: Page): Promise<Paged<AuditRow>>
  /** A page without the count of all. */
  some(filter: AuditFilter, limit: number): Promise<AuditRow[]>
  /** Oldest first, after this id. */
  after(id: number, limit: number): Promise<AuditRow[]>
}

/** Serialises the appends of all nodes; any number that nothing else locks. */
const CHAIN_LOCK = 5_177_201
export const CHAIN_START = ''

export const hashOf = (prevHash: string, { at, who, action, subject, details }: AuditEntry): string =>
  createHash('sha256')
    .update(`${prevHash}\n${canonicalJson({ at, who, action, subject, details })}`)
    .digest('hex')

export function auditRepository(database: Database): AuditRegistry {
  return {
    append: (entry) => database.transact((db) => appendTo(db, entry)),
    list: (filter, { limit, offset }) =>
      database.query(async (db) => {
        const where = conditionOf(filter)
        const items = await db.select().from(audit).where(where).orderBy(desc(audit.id)).limit(limit).offset(offset)
        const [count] = await db.select({ n: sql<number>`count(*)::int` }).from(audit).where(where)
        return { items, total: count?.n ?? 0 }
      }),
    some: (filter, limit) =>
      database.query((db) => db.select().from(audit).where(conditionOf(filter)).orderBy(desc(audit.id)).limit(limit)),
    after: (id, limit) => database.query((db) => db.select().from(audit).where(gt(audit.id, id)).orderBy(asc(audit.id)).limit(limit)),
  }
}

const GATE_IN_DETAILS = sql`coalesce(${audit.details}->>'structure', ${audit.details}->>'gate')`

function conditionOf({ action, kind, who, subject, gate, about, from, to, before }: AuditFilter): SQL | undefined {
  const isAbout = (ids: readonly string[]) => or(inArray(audit.subject, [...ids]), inArray(GATE_IN_DETAILS, [...ids]))
  return and(
    action === undefined ? undefined : sql`${audit.action} = ${action}`,
    kind === undefined ? undefined : sql`split_part(${audit.action}, '.', 1) = ${kind}`,
    who === undefined ? undefined : sql`(${audit.who} = ${who} or left(${audit.who}, ${who.length + 1}) = ${`${who}:`})`,
    subject === undefined ? undefined : sql`${audit.subject} = ${subject}`,
    gate === undefined ? undefined : isAbout([gate]),
    about === undefined ? undefined : isAbout(about),
    from === undefined ? undefined : gte(audit.at, from),
    to === undefined ? undefined : lt(audit.at, to),
    before === undefined ? undefined : lt(audit.id, before),
  )
}

/** Inside the caller's transaction: what it did and what is written of it are one. */
export async function appendTo(db: Queries, entry: AuditEntry): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(${CHAIN_LOCK})`)
  const [last] = await db
    .select({ hash: audit.hash })
    .from(audit)
    .where(lte(audit.id, Number.MAX_SAFE_INTEGER))
    .orderBy(desc(audit.id))
    .limit(1)
  // As the database will give it back: what JSON can't hold is not hashed either.
  const kept = { ...entry, details: JSON.parse(JSON.stringify(entry.details)) as Record<string, unknown> }
  const prevHash = last?.hash ?? CHAIN_START
  await db.insert(audit).values({ ...kept, prevHash, hash: hashOf(prevHash, kept) })
}

/** Reads the whole chain. @param head the last hash as it was kept elsewhere: it must still be there. */
export async function verifyChain(chain: Pick<AuditRegistry, 'after'>, head?: string): Promise<ChainVerdict> {
  let [id, prev, entries, unchained, seen] = [0, CHAIN_START, 0, 0, head === undefined || head === CHAIN_START]
  for (;;) {
    const rows = await chain.after(id, 1000)
    if (rows.length === 0) break
    for (const row of rows) {
      id = row.id
      entries += 1
      if (row.hash === null && entries === unchained + 1) {
        unchained += 1
        continue
      }
      if (row.prevHash !== prev) return { kind: 'broken', id, what: 'the entry before it is missing or was changed' }
      if (row.hash !== hashOf(prev, row)) return { kind: 'broken', id, what: 'its content is not what was written' }
      prev = row.hash
      seen ||= prev === head
    }
  }
  return seen
    ? { kind: 'whole', entries, unchained, head: prev }
    : { kind: 'broken', id, what: `the entry with hash ${head} is gone: the end was cut off` }
}
