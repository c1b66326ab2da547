import { mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { Logger } from 'pino'
import { Fault, messageOf } from '#contract/fault.ts'
import { ROLLUP_TABLES, rollUpMissing } from './duckdb-rollup.ts'

const SETTINGS = { threads: '2', memory_limit: '256MB' }

/** Times are ms since 1970 UTC; `quality` is the code of `qualityCode`, `verdict` that of `verdictCode`. There is no index: see duckdb.ts. */
const TABLES = `
create table if not exists series (id integer not null, gate varchar not null, metric varchar not null);
create table if not exists recent
  (series integer not null, t bigint not null, received bigint not null, value double, quality smallint not null, n bigint not null);
create table if not exists archive (series integer not null, t bigint not null, received bigint not null, value double, quality smallint not null);
create table if not exists latest (series integer not null, t bigint not null, received bigint not null, value double, quality smallint not null);
alter table recent add column if not exists verdict smallint default 0;
alter table archive add column if not exists verdict smallint default 0;
alter table latest add column if not exists verdict smallint default 0;
${ROLLUP_TABLES}`

/**
 * Files that this process holds open. The operating system's lock is the process's, not the opener's: a second opening here would succeed, and
 * its closing would free the lock under the first (seen).
 */
const openHere = new Set<string>()

/** Each has a connection of its own, so that what comes in need not wait while what is there is merged. */
export type Writer = 'append' | 'upkeep'

/** An open DuckDB file: a connection for each kind of writing, and one for each read under way. */
export class DuckDbFile {
  readonly path: string
  readonly #log: Logger
  readonly #instance: DuckDBInstance
  readonly #writers: Readonly<Record<Writer, DuckDBConnection>>
  readonly #underWay = new Set<Promise<unknown>>()
  #closed = false

  private constructor(
    path: string,
    opened: { instance: DuckDBInstance; writers: Readonly<Record<Writer, DuckDBConnection>>; log: Logger },
  ) {
    this.path = path
    this.#instance = opened.instance
    this.#writers = opened.writers
    this.#log = opened.log
  }

  /** @throws Fault DATA_IN_USE, DATA_CORRUPT, DISK_FULL, CONFIG_INVALID */
  static async open(name: string, log: Logger): Promise<DuckDbFile> {
    const path = resolve(name)
    if (openHere.has(path)) throw inUse(path)
    openHere.add(path)
    let instance: DuckDBInstance | undefined
    try {
      mkdirSync(dirname(path), { recursive: true })
      dropUnborn(path)
      instance = await DuckDBInstance.create(path, SETTINGS)
      const writers = { append: await instance.connect(), upkeep: await instance.connect() }
      await writers.upkeep.run(TABLES)
      await rollUpMissing(writers.upkeep)
      return new DuckDbFile(path, { instance, writers, log })
    } catch (error) {
      instance?.closeSync()
      openHere.delete(path)
      throw duckDbFault(error, path)
    }
  }

  /** @throws Fault HISTORY_UNREACHABLE, DATA_CORRUPT */
  async read<T>(work: (reader: DuckDBConnection) => Promise<T>): Promise<T> {
    try {
      return await this.#during(() => this.#readAlone(work))
    } catch (error) {
      throw duckDbFault(error, this.path)
    }
  }

  /** One transaction. Only one at a time of each kind. @throws what DuckDB says; then nothing of it is done */
  write(kind: Writer, work: (writer: DuckDBConnection) => Promise<void>): Promise<void> {
    return this.#during(() => this.#commit(this.#writers[kind], work))
  }

  async #during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new Fault('HISTORY_UNREACHABLE', `the history in ${this.path} is closed`, 'open it again')
    const working = work()
    this.#underWay.add(working)
    try {
      return await working
    } finally {
      this.#underWay.delete(working)
    }
  }

  async #commit(writer: DuckDBConnection, work: (writer: DuckDBConnection) => Promise<void>): Promise<void> {
    try {
      await writer.run('begin')
      await work(writer)
      await writer.run('commit')
    } catch (error) {
      // A commit that failed has ended its transaction already, and says so.
      await writer
        .run('rollback')
        .catch((failed: unknown) => this.#log.debug({ error: messageOf(failed) }, 'history: nothing to roll back'))
      throw error
    }
  }

  async #readAlone<T>(work: (reader: DuckDBConnection) => Promise<T>): Promise<T> {
    const reader = await this.#instance.connect()
    try {
      return await work(reader)
    } finally {
      reader.closeSync()
    }
  }

  /** Waits for what is under way. The last connection's end writes the log into the file. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.allSettled(this.#underWay)
    for (const writer of Object.values(this.#writers)) writer.closeSync()
    this.#instance.closeSync()
    openHere.delete(this.path)
  }
}

/** After a fatal error (a full disk in the middle of a checkpoint) DuckDB answers nothing until the file is opened again. */
export const needsReopening = (error: unknown): boolean => /FATAL|invalidated|INTERNAL/.test(deepMessage(error))

/** A power cut between the making of the file and its first bytes leaves an empty one, which DuckDB takes for a foreign file. */
function dropUnborn(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.size === 0) rmSync(path)
}

/** What a person may be told of a DuckDB error. */
export function duckDbFault(error: unknown, path: string): Fault {
  if (error instanceof Fault) return error
  const message = messageOf(error)
  const options = { cause: error }
  if (/Conflicting lock|Could not set lock/.test(message)) return inUse(path, error)
  if (/No space left|ENOSPC/.test(message))
    return new Fault('DISK_FULL', `no room for the history in ${path}`, 'make room on that disk', options)
  if (/not a valid DuckDB|Corrupt|checksum|Could not read enough bytes|Serialization|replaying WAL/i.test(message))
    return new Fault(
      'DATA_CORRUPT',
      `the history file ${path} is damaged (${message})`,
      `restore it from a backup; without one, move ${path} and ${path}.wal away and start again with an empty history`,
      options,
    )
  if (/Cannot open file|Permission denied|Is a directory|EACCES|ENOTDIR|EEXIST|EROFS|Read-only/.test(message))
    return new Fault(
      'CONFIG_INVALID',
      `the history can not be kept in ${path} (${message})`,
      'name a file that this user may write',
      options,
    )
  if (/newer version|older version/.test(message))
    return new Fault(
      'CONFIG_INVALID',
      `the history file ${path} is of another DuckDB version (${message})`,
      'use the version that wrote it',
      options,
    )
  return new Fault(
    'HISTORY_UNREACHABLE',
    `the history in ${path} does not answer (${message})`,
    'see the cause; it is tried again',
    options,
  )
}

const inUse = (path: string, cause?: unknown): Fault =>
  new Fault(
    'DATA_IN_USE',
    `the history file ${path} is open already, and an embedded store belongs to one process`,
    'stop the other process, or let both use one InfluxDB: influx1://host:8086/database',
    { cause },
  )

function deepMessage(error: unknown): string {
  return error instanceof Error ? `${error.message} ${error.cause === undefined ? '' : deepMessage(error.cause)}` : String(error)
}
