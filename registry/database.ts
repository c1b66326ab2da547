import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { Logger } from 'pino'
import { Fault, messageOf, systemCode } from '#contract/fault.ts'

/** A connection or transaction of either engine; the repositories know no other. */
export type Queries = PgDatabase<PgQueryResultHKT>

/** What one engine does: PGlite and PostgreSQL each make one. Errors come through as the engine threw them. */
export type Engine = {
  /** Named in messages; holds no password. */
  readonly place: string
  /** What a person does when it does not answer. */
  readonly whenAway: string
  query<T>(work: (db: Queries) => Promise<T>): Promise<T>
  transact<T>(work: (db: Queries) => Promise<T>): Promise<T>
  /** Brings the tables to the newest migration. Safe while others do the same. */
  migrate(migrationsFolder: string): Promise<void>
  close(): Promise<void>
}

/**
 * An engine whose tables are made on first use, so that a server that starts after us does no harm.
 * Whatever goes wrong comes out as a Fault that says what to do.
 */
export class Database {
  readonly #engine: Engine
  readonly #migrationsFolder: string
  readonly #log: Logger
  #migrating: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(engine: Engine, deps: { migrationsFolder: string; log: Logger }) {
    this.#engine = engine
    this.#migrationsFolder = deps.migrationsFolder
    this.#log = deps.log
  }

  /** @throws Fault */
  query<T>(work: (db: Queries) => Promise<T>): Promise<T> {
    return this.#faulting(() => this.#engine.query(work))
  }

  /** All of `work` or nothing of it. @throws Fault */
  transact<T>(work: (db: Queries) => Promise<T>): Promise<T> {
    return this.#faulting(() => this.#engine.transact(work))
  }

  /** Resolves when the database answers and its tables are up to date. @throws Fault */
  async ready(): Promise<void> {
    await this.query((db) => db.execute(sql`select 1`))
  }

  /** How many migrations have made the tables. */
  async version(): Promise<number> {
    await this.#faulting(async () => undefined)
    const journal: unknown = JSON.parse(readFileSync(join(this.#migrationsFolder, 'meta', '_journal.json'), 'utf8'))
    const entries = typeof journal === 'object' && journal !== null && 'entries' in journal ? journal.entries : undefined
    if (!Array.isArray(entries)) throw new Error(`${this.#migrationsFolder} holds no journal of migrations`)
    return entries.length
  }

  /** Closing twice is closing once. */
  close(): Promise<void> {
    this.#closing ??= this.#engine.close()
    return this.#closing
  }

  async #faulting<T>(work: () => Promise<T>): Promise<T> {
    try {
      await this.#migrated()
      return await work()
    } catch (error) {
      throw faultOf(error, this.#engine)
    }
  }

  #migrated(): Promise<void> {
    this.#migrating ??= this.#engine.migrate(this.#migrationsFolder).then(
      () => this.#log.debug({ registry: this.#engine.place }, 'registry: tables are up to date'),
      (error: unknown) => {
        this.#migrating = undefined
        throw error
      },
    )
    return this.#migrating
  }
}

/** Whether waiting may help: the server can't be reached, as against one that refuses us or is damaged. */
export const isAway = (error: unknown): boolean =>
  error instanceof Fault && error.code === 'REGISTRY_UNREACHABLE' && !isRefusedAccess(error)

/** SQLSTATE that a person must act on before any retry can help. */
const isRefusedAccess = (error: unknown): boolean => ACCESS_STATES.has(systemCode(error) ?? '')
const ACCESS_STATES = new Set(['28000', '28P01', '3D000', '42501'])

function faultOf(error: unknown, { place, whenAway }: Pick<Engine, 'place' | 'whenAway'>): Fault {
  if (error instanceof Fault) return error
  const state = systemCode(error) ?? ''
  const cause = rootMessage(error)
  const options = { cause: error }
  if (state === '23505') return new Fault('CONFLICT', `this is there already (${cause})`, 'choose another id or name', options)
  if (state === '23503') return new Fault('BAD_REQUEST', `it names something that is not there (${cause})`, 'add that first', options)
  // 22021, 22P05: a NUL or what is not UTF-8 in a text; 22001 … 22003: too long or too large.
  if (state.startsWith('22')) return new Fault('BAD_REQUEST', `the registry can't hold this value (${cause})`, 'correct the value', options)
  if (state === '53100') return new Fault('DISK_FULL', `the disk of ${place} is full`, 'make room on it', options)
  if (state.startsWith('XX001') || state.startsWith('XX002'))
    return new Fault('DATA_CORRUPT', `${place} is damaged (${cause})`, 'restore it from a backup', options)
  if (isRefusedAccess(error))
    return new Fault('REGISTRY_UNREACHABLE', `${place} refuses us (${cause})`, 'check user, password, database and its rights', options)
  if (isOurMistake(error, state)) throw error
  return new Fault('REGISTRY_UNREACHABLE', `${place} does not answer (${cause})`, whenAway, options)
}

/** Syntax, unknown columns, missing values: a bug of ours, not of the person or the server. */
const isOurMistake = (error: unknown, state: string): boolean =>
  error instanceof TypeError || error instanceof ReferenceError || state.startsWith('42') || state === '23502' || state === '23514'

/** Drizzle's own message is the whole statement with its values, passwords' hashes included; the cause says what was wrong. */
function rootMessage(error: unknown): string {
  let root = error
  while (root instanceof Error && root.cause instanceof Error) root = root.cause
  return messageOf(root) || systemCode(error) || 'no reason given'
}
