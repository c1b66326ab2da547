import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'

/** What has been opened, closed in the opposite order. One that fails to close does not keep the others open. */
export class Closers {
  readonly #log: Logger
  readonly #open: { name: string; close: () => Promise<void> }[] = []

  constructor(log: Logger) {
    this.#log = log
  }

  add<T extends { close(): Promise<void> }>(name: string, thing: T): T {
    this.#open.push({ name, close: () => thing.close() })
    return thing
  }

  async closeAll(): Promise<void> {
    for (const { name, close } of this.#open.toReversed()) {
      try {
        await close()
      } catch (error) {
        this.#log.error({ name, error: messageOf(error) }, 'it did not close cleanly')
      }
    }
    this.#open.length = 0
  }
}
