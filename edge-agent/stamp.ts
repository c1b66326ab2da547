import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import type { Reading } from '#contract/reading.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { Clock } from './clock.ts'
import type { Kept, Outbox, Sampled } from './outbox/outbox.ts'

type StamperDeps = {
  readonly outbox: Pick<Outbox, 'append' | 'hold' | 'holds' | 'release'>
  readonly clock: Pick<Clock, 'isKnown' | 'mono' | 'boot' | 'now'>
  /** Told of each reading that was held, when it has its time. */
  readonly onStamped: (device: string, kept: Kept, readings: Sampled['readings']) => void
  readonly log: Logger
}

/**
 * Gives readings their time. While none is known they are held by the time since the boot, and stamped before anything later is kept, since the
 * times of a metric strictly increase.
 */
export class Stamper {
  readonly #deps: StamperDeps
  #releasing: Promise<void> | null = null

  constructor(deps: StamperDeps) {
    this.#deps = deps
  }

  /** Resolves when the readings are on the disk, with null where they wait for their time. @throws what the disk said */
  async keep(device: string, t: UnixMs, readings: ReadonlyMap<string, Reading>): Promise<Kept | null> {
    const { outbox, clock } = this.#deps
    if (clock.isKnown && !outbox.holds()) return await outbox.append(device, t, readings)
    await outbox.hold(device, { boot: clock.boot, mono: clock.mono() }, readings)
    if (clock.isKnown) this.#releasing ??= this.#release()
    return null
  }

  async close(): Promise<void> {
    await this.#releasing
  }

  async #release(): Promise<void> {
    const { outbox, clock, onStamped, log } = this.#deps
    try {
      const offset = clock.now() - clock.mono()
      const stamped = await outbox.release(
        { t: clock.now(), boot: clock.boot, toTime: (mono) => unixMs(Math.round(mono + offset)) },
        onStamped,
      )
      log.info({ stamped }, 'readings from before the time was known have their time')
    } catch (error) {
      log.error({ error: messageOf(error) }, 'readings from before the time was known could not be stamped; trying again')
    } finally {
      this.#releasing = null
    }
  }
}
