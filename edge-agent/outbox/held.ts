import type { Reading } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import type { Aliases } from './aliases.ts'
import { decodeRecord, encodeRecord } from './record.ts'
import type { Store } from './store.ts'

/** A time since a boot, in ms. */
export type BootTime = { readonly boot: string; readonly mono: number }

export type HeldEntry = BootTime & {
  readonly key: number
  readonly device: string
  readonly readings: ReadonlyMap<string, Reading>
}
type Damaged = { readonly key: number; readonly device: null }

/** Readings that wait on the disk for their time: records as any other, but under the boot and the time since it. */
export class HeldReadings {
  readonly #db: Store['held']
  readonly #commits: Store['commits']
  readonly #aliases: Aliases
  #next: number
  #size: number

  constructor({ held, commits }: Pick<Store, 'held' | 'commits'>, aliases: Aliases) {
    this.#db = held
    this.#commits = commits
    this.#aliases = aliases
    const [last] = held.getKeys({ reverse: true, limit: 1 })
    this.#next = (last ?? -1) + 1
    this.#size = (held.getStats() as { entryCount: number }).entryCount
  }

  get size(): number {
    return this.#size
  }

  /** Resolves when it is on the disk. @throws Fault DISK_FULL, or what the disk said */
  async put(device: string, { boot, mono }: BootTime, readings: ReadonlyMap<string, Reading>): Promise<void> {
    const key = this.#next++
    // At once, or what comes next would be kept before it.
    this.#size += 1
    const bytes = encodeRecord({ device: `${boot}\n${device}`, t: unixMs(mono), readings: this.#aliases.toAliases(device, readings) })
    try {
      await this.#commits.run(() => void this.#db.put(key, bytes), { kind: 'add' })
    } catch (error) {
      this.#size -= 1
      throw error
    }
  }

  oldest(most: number): (HeldEntry | Damaged)[] {
    return [...this.#db.getRange({ limit: most })].map(({ key, value }) => {
      const record = decodeRecord(value)
      if (!record) return { key, device: null }
      const [boot = '', device = ''] = record.device.split('\n')
      return { key, boot, device, mono: record.t, readings: this.#aliases.toNames(record.readings) }
    })
  }

  /** What a transaction must write, and what is to be called when it has been committed. */
  removal(keys: readonly number[]): { write: () => void; done: () => void } {
    return {
      write: () => {
        for (const key of keys) void this.#db.remove(key)
      },
      done: () => {
        this.#size -= keys.length
      },
    }
  }
}
