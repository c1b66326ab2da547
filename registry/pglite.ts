import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import { migrate } from 'drizzle-orm/pglite/migrator'
import type { Logger } from 'pino'
import { Fault, messageOf, systemCode } from '#contract/fault.ts'
import type { Engine } from './database.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import { MIGRATIONS_SCHEMA, MIGRATIONS_TABLE } from './migrations-table.ts'
import { SyncedNodeFs } from './synced-node-fs.ts'

/**
 * PostgreSQL inside this process. `path` becomes a folder with the database in `data`, the lock in `lock`, and a file `creating` while the
 * database is being made: a creation that was cut off is begun again, not taken for damage.
 * @throws Fault DATA_IN_USE, DATA_CORRUPT, DISK_FULL, CONFIG_INVALID
 */
export async function openPglite(path: string, log: Logger): Promise<Engine> {
  const root = resolve(path)
  const lock = await takeLock(root)
  try {
    const client = await openData(root, log)
    const db = drizzle({ client })
    return {
      place: `the registry in ${root}`,
      whenAway: 'start the program again; if that does not help, look at the disk',
      query: (work) => work(db),
      transact: (work) => db.transaction(work),
      migrate: (migrationsFolder) =>
        migrate(db, { migrationsFolder, migrationsSchema: MIGRATIONS_SCHEMA, migrationsTable: MIGRATIONS_TABLE }),
      close: async () => {
        await client.close()
        await lock.release()
      },
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function takeLock(root: string): Promise<FolderLock> {
  const lock = await lockFolder(join(root, 'lock')).catch((error: unknown) => {
    if (error instanceof Fault) throw error
    throw unusable(root, error)
  })
  if (lock) return lock
  throw new Fault(
    'DATA_IN_USE',
    `the registry in ${root} is open in another process, and an embedded store belongs to one`,
    'stop that process, or let both use one PostgreSQL: postgres://user:password@host/database',
  )
}

async function openData(root: string, log: Logger): Promise<PGlite> {
  const data = join(root, 'data')
  const creating = join(root, 'creating')
  if (existsSync(creating)) rmSync(data, { recursive: true, force: true })
  const isNew = !existsSync(data)
  try {
    if (isNew) {
      writeFileSync(creating, 'The database beside this file is being made; what is there is thrown away at the next start.\n')
      syncPath(root)
      mkdirSync(data, { recursive: true })
      // Making the database takes twice the memory that running it does, and WebAssembly memory never shrinks: run it in a fresh one.
      await (await start(data, log)).close()
      await syncTree(data)
      rmSync(creating)
      syncPath(root)
      syncPath(dirname(root))
    }
    return await start(data, log)
  } catch (error) {
    if (isNew || systemCode(error) === 'ENOSPC') throw unusable(root, error)
    throw new Fault(
      'DATA_CORRUPT',
      `the registry in ${data} can not be opened (${messageOf(error)})`,
      `restore ${root} from a backup; without one, move it away and start again: gates come back from the district's files, people and journals do not`,
      { cause: error },
    )
  }
}

async function start(data: string, log: Logger): Promise<PGlite> {
  const said: string[] = []
  const listen = (text: string): boolean => {
    said.push(text.trim())
    said.splice(0, said.length - 20)
    log.debug({ text }, 'registry: PGlite says')
    return true
  }
  try {
    return await PGlite.create({
      fs: new SyncedNodeFs(data),
      startParams: SyncedNodeFs.startParams(PGlite.defaultStartParams),
      onStdout: listen,
      onStderr: listen,
    })
  } catch (error) {
    const last = said.findLast((line) => /FATAL|PANIC|ERROR/.test(line))
    throw last === undefined ? error : new Error(last, { cause: error })
  }
}

/** A new database takes about 45 MB; PGlite's own error for a full disk says nothing. */
const ROOM_BYTES = 64 * 1024 * 1024

function isFull(folder: string): boolean {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize < ROOM_BYTES
}

function unusable(root: string, error: unknown): Fault {
  if (systemCode(error) === 'ENOSPC' || (existsSync(root) && isFull(root)))
    return new Fault(
      'DISK_FULL',
      `no room for the registry in ${root}`,
      'make room on that disk (64 MB at the least), or name a folder on another',
      { cause: error },
    )
  return new Fault(
    'CONFIG_INVALID',
    `the registry can not be kept in ${root} (${messageOf(error)})`,
    'name a folder on a local disk that this user may write',
    { cause: error },
  )
}

/** PGlite makes its first files without syncing them. */
async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const file = await open(join(entry.parentPath, entry.name), 'r')
    await file.sync().finally(() => file.close())
  }
}

function syncPath(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
