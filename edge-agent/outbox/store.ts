import { randomInt } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Database, open } from 'lmdb'
import type { Logger } from 'pino'
import { Fault, systemCode } from '#contract/fault.ts'
import { checkData } from './check.ts'
import { Commits } from './commits.ts'
import { abandon, claim, release, syncFolder } from './owner.ts'
import { Room } from './room.ts'

/** The outbox's file on the disk, open and sound. */
export type Store = {
  readonly records: Database<Buffer, [counter: number, n: number]>
  /** Readings that wait for their time. */
  readonly held: Database<Buffer, number>
  /** Small figures by name, or by name and device. */
  readonly meta: Database<unknown, string | string[]>
  readonly commits: Commits
  /** A random number that this outbox has for life, so that no receipt for another can ever name one of its batches. */
  readonly epoch: number
  close(): Promise<void>
}

const DATA_FILE = 'data.mdb'
const LOCK_FILE = 'lock.mdb'
/** Room for 126 readers, lmdb's default, and more. */
const LOCK_BYTES = 16_384
/** An empty lmdb file and the first room for readings. */
const SMALLEST_BYTES = 2_097_152
/** Negative, as lmdb's own codes for a damaged file are. */
const OWN_DAMAGE = -1
// Without overlappingSync a commit is confirmed when it is synced. eventTurnBatching would leave a promise that nobody can catch when a
// commit fails (seen), which ends the process.
const LMDB_OPTIONS = { noSubdir: false, overlappingSync: false, eventTurnBatching: false, maxDbs: 8, encoding: 'binary' } as const

/**
 * Opens the store in a folder, or makes one. A damaged one is set aside beside it, and a new one with a new epoch begins.
 * @throws Fault DATA_IN_USE, DISK_FULL
 */
export async function openStore(path: string, log: Logger): Promise<Store> {
  mkdirSync(path, { recursive: true })
  const claimed = claim(path)
  try {
    if (claimed === 'check') {
      const verdict = await checkData(path, ['records', 'held', 'meta'])
      if (verdict.kind === 'corrupt') setAside(path, verdict.why, log)
      if (verdict.kind === 'unknown') log.warn({ why: verdict.why, path }, 'the outbox could not be checked')
    }
    const store = await openSound(path).catch((error: unknown) => {
      // lmdb's own errors are negative; a system error (no permission, no memory) is not the file's fault.
      if (!(error instanceof Error && 'code' in error && Number(error.code) < 0)) throw error
      setAside(path, error.message, log)
      return openSound(path)
    })
    syncFolder(path)
    syncFolder(dirname(path))
    return store
  } catch (error) {
    abandon(path)
    throw error
  }
}

async function openSound(path: string): Promise<Store> {
  makePossible(path)
  const root = open({ path, ...LMDB_OPTIONS })
  const records: Store['records'] = root.openDB('records', { encoding: 'binary' })
  const held: Store['held'] = root.openDB('held', { encoding: 'binary' })
  const meta: Store['meta'] = root.openDB('meta', { encoding: 'json' })
  const room = new Room(root, [records, held, meta], join(path, DATA_FILE))
  const commits = new Commits(root, { path, makeRoom: (writes) => room.make(writes) })
  const close = async (): Promise<void> => {
    await commits.idle()
    await root.close()
    release(path)
  }
  const known = meta.get('epoch')
  if (typeof known === 'number') return { records, held, meta, commits, epoch: known, close }
  if (records.getKeysCount({ limit: 1 }) > 0) throw Object.assign(new Error('there are records but no epoch'), { code: OWN_DAMAGE })
  const epoch = randomInt(2 ** 32)
  await commits.run(() => void meta.put('epoch', epoch), { kind: 'add' })
  return { records, held, meta, commits, epoch, close }
}

/**
 * lmdb must not meet a full disk (see Room), so a new file needs room first. And it makes its lock file as a hole and maps it, where the
 * first touch of the hole would end the process (SIGBUS, seen): one that is there with all its blocks is used as it is.
 * @throws Fault DISK_FULL
 */
function makePossible(path: string): void {
  try {
    const { bavail, bsize } = statfsSync(path)
    if (!existsSync(join(path, DATA_FILE)) && bavail * bsize < SMALLEST_BYTES) throw new Error('too little room for an outbox')
    const lock = join(path, LOCK_FILE)
    if (!existsSync(lock)) writeFileSync(lock, Buffer.alloc(LOCK_BYTES), { flush: true })
  } catch (cause) {
    const code = systemCode(cause)
    if (code !== undefined && code !== 'ENOSPC' && code !== 'EDQUOT') throw cause
    throw new Fault('DISK_FULL', `the disk that holds ${path} is full`, 'free space on it', { cause })
  }
}

function setAside(path: string, why: string, log: Logger): void {
  const aside = join(path, `data.corrupt-${new Date().toISOString().replaceAll(':', '-')}.mdb`)
  renameSync(join(path, DATA_FILE), aside)
  rmSync(join(path, LOCK_FILE), { force: true })
  log.error(
    { why, aside },
    'the outbox is damaged: it is set aside and a new one begins. Readings that had no receipt are in the file set aside',
  )
}
