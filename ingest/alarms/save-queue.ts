import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import type { AlarmRegistry, ConditionRow, JournalEntry } from '#registry/alarms.ts'

const RETRY_MS = 1000

/** Transitions on their way to the registry, which may be away: they wait here, in order, and whoever depends on them can wait too. */
export class SaveQueue {
  readonly #registry: Pick<AlarmRegistry, 'save'>
  readonly #log: Logger
  readonly #stop = new AbortController()
  #rows = new Map<string, ConditionRow>()
  #entries: JournalEntry[] = []
  #waiters: (() => void)[] = []
  #saving: Promise<void> | undefined

  constructor(deps: { registry: Pick<AlarmRegistry, 'save'>; log: Logger }) {
    this.#registry = deps.registry
    this.#log = deps.log
  }

  put(row: ConditionRow, entries: readonly JournalEntry[]): void {
    this.#rows.set(row.id, row)
    this.#entries.push(...entries)
    this.#start()
  }

  #start(): void {
    this.#saving ??= this.#saveAll().finally(() => {
      this.#saving = undefined
      if (this.#stop.signal.aborted) return
      // Something may have come since the loop looked last.
      if (this.#rows.size > 0) this.#start()
      else for (const resolve of this.#waiters.splice(0)) resolve()
    })
  }

  /** Resolves when all that was put before is durable; undefined when it is so already. After `close` it may never resolve. */
  settled(): Promise<void> | undefined {
    if (!this.#saving) return undefined
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#saving
  }

  async #saveAll(): Promise<void> {
    // What the same message causes goes into one transaction.
    await Promise.resolve()
    let announced = false
    while (this.#rows.size > 0 && !this.#stop.signal.aborted) {
      const [rows, entries, waiters] = [this.#rows, this.#entries, this.#waiters]
      this.#rows = new Map()
      this.#entries = []
      this.#waiters = []
      try {
        await this.#registry.save([...rows.values()], entries)
        for (const resolve of waiters) resolve()
        if (announced) this.#log.info('the registry takes alarms again')
        announced = false
      } catch (error) {
        // The newer state of an alarm stands; what happened before it is told before it.
        this.#rows = new Map([...rows, ...this.#rows])
        this.#entries = [...entries, ...this.#entries]
        this.#waiters = [...waiters, ...this.#waiters]
        if (!announced)
          this.#log.warn({ error: messageOf(error), waiting: this.#rows.size }, 'alarms were not saved; receipts wait for them')
        announced = true
        await sleep(RETRY_MS, undefined, { signal: this.#stop.signal }).catch(ignoreAbort)
      }
    }
  }
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error
}
