import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, messageOf } from '#contract/fault.ts'

/** The part of an lmdb database that commits. */
export type Committer = { batch(write: () => void): Promise<boolean> }

export type CommitOptions = {
  /** `add` is refused on a full disk; `free`, which makes room, is not. */
  readonly kind: 'add' | 'free'
}

type Waiting = CommitOptions & { readonly write: () => void; readonly resolve: () => void; readonly reject: (error: unknown) => void }

const MOST_IN_ONE = 64
const CAUSE_WAIT_MS = 1000

/**
 * Commits one transaction at a time; what is asked for meanwhile goes together into the next. Each is atomic, they keep their order, and
 * `run` resolves when its writes are on the disk (the database is opened without overlappingSync, so a commit ends with its sync).
 */
export class Commits {
  readonly #db: Committer
  readonly #path: string
  /** Whether there is room on the disk to add so many. */
  readonly #makeRoom: (writes: number) => boolean
  #waiting: Waiting[] = []
  #running: Promise<void> | null = null

  constructor(db: Committer, options: { path: string; makeRoom: (writes: number) => boolean }) {
    this.#db = db
    this.#path = options.path
    this.#makeRoom = options.makeRoom
  }

  /** `write` must do nothing but put and remove. @throws Fault DISK_FULL, or what the disk said; then nothing was written. */
  async run(write: () => void, options: CommitOptions): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ ...options, write, resolve, reject })
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
      const group = this.#waiting.splice(0, MOST_IN_ONE)
      const full = this.#isFullFor(group)
      for (const { reject } of full ? group.filter((w) => w.kind === 'add') : []) reject(full)
      const rest = full ? group.filter((w) => w.kind === 'free') : group
      const failure = await this.#commit(rest)
      for (const { resolve, reject } of rest) failure ? reject(failure) : resolve()
    }
    this.#running = null
  }

  #isFullFor(group: readonly Waiting[]): Error | null {
    const adds = group.filter((w) => w.kind === 'add').length
    try {
      if (adds === 0 || this.#makeRoom(adds)) return null
      return new Fault('DISK_FULL', `the disk that holds ${this.#path} is full`, 'free space on it; the agent keeps trying')
    } catch (error) {
      return this.#failure(error)
    }
  }

  async #commit(group: readonly Waiting[]): Promise<Error | null> {
    if (group.length === 0) return null
    try {
      await this.#db.batch(() => {
        for (const { write } of group) write()
      })
      return null
    } catch (error) {
      return this.#failure(await commitCause(error))
    }
  }

  #failure(cause: unknown): Error {
    return new Error(`the outbox ${this.#path} can't be written: ${messageOf(cause)}`, { cause })
  }
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
