import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import type { BadReason, Reading } from '#contract/reading.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Journal } from './journal.ts'
import type { Newest } from './newest.ts'
import type { Kept, Sampled } from './outbox/outbox.ts'
import type { Exceptions } from './report/exception.ts'
import type { Haste } from './report/haste.ts'
import type { Stamper } from './stamp.ts'
import type { Sender } from './uplink/send.ts'

type KeeperDeps = {
  readonly stamper: Pick<Stamper, 'keep'>
  readonly journal: Journal
  /** Everything that is read. */
  readonly lastRead: Newest
  /** What is kept, or would be if the disk took it: what the center is told. */
  readonly newest: Newest
  readonly exceptions: Pick<Exceptions, 'sift'>
  readonly haste: Pick<Haste, 'watch'>
  readonly sender: Pick<Sender, 'offer'>
  readonly log: Logger
}
type Read = {
  readonly structure: string
  /** When the device's reply came. */
  readonly t: UnixMs
  readonly readings: ReadonlyMap<string, Reading>
  readonly bus: string
  readonly gridTime: UnixMs
}

/** The step that nothing may skip: what is news goes to the disk, and only then anywhere else. */
export class Keeper {
  readonly #deps: KeeperDeps
  readonly #silent = new Map<string, BadReason>()
  readonly #counts = { kept: 0, not_kept: 0, missed_cycles: 0 }
  readonly #errors = new Map<BadReason, number>()
  #diskFails = false

  constructor(deps: KeeperDeps) {
    this.#deps = deps
  }

  /** `kept`: times at which readings of a device were kept. `not_kept`: readings. `missed_cycles`: times of the grid, of each bus. */
  get counts(): { kept: number; not_kept: number; missed_cycles: number } {
    return { ...this.#counts }
  }

  /** Readings that could not be taken, by reason. */
  get errors(): Record<string, number> {
    return Object.fromEntries(this.#errors)
  }

  /** Never throws: a disk that takes nothing is told and counted, the newest values are shown all the same, and the next cycle tries again. */
  async keep({ structure, t, readings, bus, gridTime }: Read): Promise<void> {
    const { stamper, journal, lastRead, newest, exceptions, haste, sender, log } = this.#deps
    this.#tellSilence(structure, readings)
    for (const r of readings.values()) if (r.quality === 'bad') this.#errors.set(r.reason, (this.#errors.get(r.reason) ?? 0) + 1)
    lastRead.put(structure, t, readings)
    haste.watch(bus, structure, readings)
    const news = exceptions.sift(structure, gridTime, readings)
    if (news.readings.size === 0) {
      journal.write({ structure, t, readings: {} })
      return
    }
    try {
      const kept = await stamper.keep(structure, t, news.readings)
      news.kept()
      this.#counts.kept += 1
      if (this.#diskFails) log.info('readings are kept again')
      this.#diskFails = false
      if (kept) this.tell(structure, { ...kept, readings: news.readings }, news)
    } catch (error) {
      this.#counts.not_kept += news.readings.size
      if (!this.#diskFails)
        log.error({ structure, error: messageOf(error) }, 'readings can not be kept, and are lost until the disk takes them')
      this.#diskFails = true
      journal.write({ missed: gridTime, bus, structure })
      newest.put(structure, t, news.readings)
      sender.offer(structure, { t, readings: news.readings, batch: null }, news)
    }
  }

  /** What has been kept is journaled, and offered to the center. */
  tell(structure: string, kept: Kept & Pick<Sampled, 'readings'>, options: { urgent: boolean }): void {
    const { journal, newest, sender } = this.#deps
    journal.write({ structure, t: kept.t, readings: Object.fromEntries(kept.readings) })
    newest.put(structure, kept.t, kept.readings)
    sender.offer(structure, kept, options)
  }

  missed(bus: string, gridTime: UnixMs): void {
    this.#counts.missed_cycles += 1
    this.#deps.log.warn({ bus, gridTime }, 'a poll cycle was missed: the one before took too long, or the machine stood still')
    this.#deps.journal.write({ missed: gridTime, bus })
  }

  /** Tells when a device falls silent or speaks again, once each time. */
  #tellSilence(structure: string, readings: ReadonlyMap<string, Reading>): void {
    const [entry] = readings
    if (!entry) return
    const [metric, first] = entry
    // A structure may have several devices, each with metrics of its own.
    const device = `${structure} ${metric}`
    const reason = first.quality === 'bad' && [...readings.values()].every((r) => r.quality === 'bad') ? first.reason : undefined
    const before = this.#silent.get(device)
    if (reason === before) return
    if (reason === undefined) {
      this.#silent.delete(device)
      this.#deps.log.info({ structure }, 'the device answers again')
    } else {
      this.#silent.set(device, reason)
      this.#deps.log.warn({ structure, reason }, 'the device gives no value')
    }
  }
}
