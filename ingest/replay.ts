import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import { unixMs } from '#contract/units.ts'
import type { History, Sample } from '#history/port.ts'
import type { DeadLetterRow, Registry } from '#registry/port.ts'
import type { Refusal } from './accept.ts'
import { settle } from './settle.ts'

export type ReplayDeps = {
  readonly registry: Pick<Registry, 'deadLetters'>
  readonly history: Pick<History, 'write'>
  /** The newest list of gates. */
  readonly refresh: () => Promise<void>
  /** What a letter comes to now; undefined for a group that another worker takes. */
  readonly reread: (letter: DeadLetterRow) => { samples: readonly Sample[]; refusals: readonly Refusal[] } | undefined
  readonly log: Logger
}

const AT_ONCE = 200

/**
 * Takes dead letters to history that a person has asked for. A letter is settled after its samples are durable; one that is taken twice, because we
 * ended in between, writes the same points again.
 */
export class Replay {
  readonly #deps: ReplayDeps
  #running: Promise<void> | undefined
  #closed = false

  constructor(deps: ReplayDeps) {
    this.#deps = deps
  }

  /** Looks for letters unless that is under way. What can't be done now is done at the next look. */
  soon(): void {
    if (this.#closed) return
    this.#running ??= this.#takeAll()
      .catch((error: unknown) => this.#deps.log.warn({ error: messageOf(error) }, 'dead letters were not replayed; trying again'))
      .finally(() => {
        this.#running = undefined
      })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #takeAll(): Promise<void> {
    const { registry, refresh } = this.#deps
    const letters = await registry.deadLetters.asked(AT_ONCE)
    if (letters.length === 0) return
    // Its gate may have been registered a moment ago.
    await refresh()
    for (const letter of letters) if (this.#closed || !(await this.#take(letter))) return
  }

  /** @returns whether history takes anything now. */
  async #take(letter: DeadLetterRow): Promise<boolean> {
    const { registry, history, reread } = this.#deps
    const read = reread(letter)
    if (!read) return true
    const next = settle(await history.write(read.samples, { rewrite: true }))
    if (next.do === 'wait') return false
    const refused =
      next.do === 'receipt' ? [] : next.samples.map(({ metric }) => ({ metric, reason: `history refused it: ${next.reason}` }))
    const samples = read.samples.length - refused.length
    const reasons = new Set([...read.refusals, ...refused].map(({ metric, reason }) => (metric === null ? reason : `${metric}: ${reason}`)))
    const state = samples > 0 ? 'done' : 'refused'
    await registry.deadLetters.settleReplay(letter.id, { state, samples, note: [...reasons].join('; '), at: unixMs(Date.now()) })
    return true
  }
}
