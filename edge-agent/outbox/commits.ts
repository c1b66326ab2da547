import { statfsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, messageOf } from '#contract/fault.ts'

/** The part of an lmdb database that commits. */
export type Committer = { batch(write: () => void): Promise<boolean> }

type Waiting = { readonly write: () => void; readonly resolve: () => void; readonly reject: (error: unknown) => void }

const [EIO, ENOSPC, EDQUOT] = [5, 28, 122]
/** The largest single write that lmdb-js makes stays well below. */
const HARDLY_ANY_BYTES = 1_048_576
const CAUSE_WAIT_MS = 1000

/**
 * Commits one transaction at a time; what is asked for meanwhile goes together into the next. Each is atomic, they keep their order, and
 * `run` resolves when its writes are on the disk (the database is opened without overlappingSync, so a commit ends with its sync).
 */
export class Commits {
  readonly #db: Committer
  readonly #path: string
  #waiting: Waiting[] = []
  #running: Promise<void> | null = null

  constructor(db: Committer, path: string) {
    this.#db = db
    this.#path = path
  }

  /** `write` must do nothing but put and remove. @throws Fault DISK_FULL, or what the disk said; then nothing was written. */
  async run(write: () => void): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject })
    })
    this.#running ??= this.#drain()
    await done
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  async #drain(): Promise<void> {
    // Lets the other devices of this turn of the event loop join.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      this.#waiting = []
      const failure = await this.#commit(group)
      for (const { resolve, reject } of group) failure ? reject(failure) : resolve()
    }
    this.#running = null
  }

  async #commit(group: readonly Waiting[]): Promise<Error | null> {
    try {
      await this.#db.batch(() => {
        for (const { write } of group) write()
      })
      return null
    } catch (error) {
      const cause = await commitCause(error)
      if (isDiskFull(cause, this.#path)) {
        return new Fault('DISK_FULL', `the disk that holds ${this.#path} is full`, 'free space on it; the agent keeps trying', { cause })
      }
      return new Error(`the outbox ${this.#path} can't be written: ${messageOf(cause)}`, { cause })
    }
  }
}

/** lmdb calls a write that the disk took only in part an input/output error. */
function isDiskFull(cause: unknown, path: string): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === ENOSPC || code === EDQUOT) return true
  if (code !== EIO) return false
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize < HARDLY_ANY_BYTES
}

/** lmdb-js says "Commit failed" and hands the reason over as a promise that rejects with it. */
async function commitCause(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && 'commitError' in error)) return error
  try {
    await Promise.race([error.commitError, sleep(CAUSE_WAIT_MS)])
    return error
  } catch (cause) {
    return cause
  }
}
