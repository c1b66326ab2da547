import type { Database } from 'lmdb'
import type { Commits } from './commits.ts'

const KEY = 'ballast'
const BYTES = 131_072

/**
 * Room within the file that a full disk can't take away. To delete, lmdb first writes: new copies of the pages that change. On a disk
 * without a free block the receipts could then not empty the outbox that fills it (seen). Giving the ballast up needs fewer pages than an
 * append does, so there is always enough for it, and it frees what the deletions need.
 */
export class Ballast {
  readonly #meta: Database<unknown, string | string[]>
  readonly #commits: Commits

  constructor(meta: Database<unknown, string | string[]>, commits: Commits) {
    this.#meta = meta
    this.#commits = commits
  }

  get aboard(): boolean {
    return this.#meta.doesExist(KEY)
  }

  /** @throws Fault DISK_FULL */
  async take(): Promise<void> {
    if (!this.aboard) await this.#commits.run(() => void this.#meta.put(KEY, 'x'.repeat(BYTES)))
  }

  /** @throws Fault DISK_FULL */
  async release(): Promise<void> {
    if (this.aboard) await this.#commits.run(() => void this.#meta.remove(KEY))
  }
}
