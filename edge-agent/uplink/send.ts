import type { Logger } from 'pino'
import type { BatchId } from '#contract/batch.ts'
import { messageOf } from '#contract/fault.ts'
import type { SparkplugMetric } from '#contract/sparkplug/payload.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Newest } from '../newest.ts'
import type { Batch, Outbox, Sampled } from '../outbox/outbox.ts'
import type { UplinkSettings } from '../settings.ts'
import { afterReceipt, afterSend, type Flight, GROUNDED } from './flight.ts'
import { batchMetric, dataMetrics } from './payloads.ts'

/** What the sender needs of the session. */
export type Link = {
  readonly online: boolean
  /** Publications that wait because the link takes no more. */
  readonly unwritten: number
  publish(device: string, metrics: SparkplugMetric[]): Promise<boolean>
}

export type SenderDeps = {
  readonly outbox: Outbox
  readonly link: Link
  readonly newest: Newest
  readonly settings: UplinkSettings
  readonly now: () => UnixMs
  /** A clock that no one sets, in ms. */
  readonly elapsed: () => number
  readonly log: Logger
}

/** A device's newest readings; `batch` is null where the disk did not take them. */
type Offer = Sampled & { readonly batch: BatchId | null }

/** Beyond this the link is behind by seconds, and newer values will come. */
const MOST_UNWRITTEN = 8

/**
 * Carries batches from the outbox to the host, oldest first, at most `window` of them without a receipt. Each is sent again, under its id,
 * until its receipt comes. Newest values that must wait behind others go out at once without an id: to be seen, not to be kept.
 */
export class Sender {
  readonly #deps: SenderDeps
  readonly #flights = new Map<BatchId, Flight>()
  readonly #offers = new Map<string, Offer>()
  #timer: NodeJS.Timeout | undefined
  #pumping: Promise<void> | null = null
  #again = false
  #ended = false
  #lastReceiptT: UnixMs | null = null
  #lastReceiptDelayMs: number | null = null

  constructor(deps: SenderDeps) {
    this.#deps = deps
  }

  get inFlight(): number {
    return this.#flights.size
  }

  get lastReceiptT(): UnixMs | null {
    return this.#lastReceiptT
  }

  /** From the last sending of a batch to its receipt. */
  get lastReceiptDelayMs(): number | null {
    return this.#lastReceiptDelayMs
  }

  /** To be called when readings have been kept, or could not be. */
  offer(device: string, offer: Offer): void {
    this.#offers.set(device, offer)
    this.#wake()
  }

  /** The session has begun: what was sent over an earlier connection may be lost. */
  online(): void {
    for (const id of this.#flights.keys()) this.#flights.set(id, GROUNDED)
    this.#wake()
  }

  /** The host's word that these batches are durable. */
  async receive(ids: readonly BatchId[]): Promise<void> {
    const { outbox, settings, now, elapsed, log } = this.#deps
    try {
      await outbox.drop(ids)
    } catch (error) {
      // They stay in flight, are sent again, and the next receipt tries again.
      log.error({ error: messageOf(error) }, 'receipted batches could not be deleted')
      return
    }
    this.#lastReceiptT = now()
    for (const id of ids) {
      const delay_ms = elapsed() - (this.#flights.get(id)?.sentAt ?? Number.NaN)
      if (Number.isFinite(delay_ms)) this.#lastReceiptDelayMs = Math.round(delay_ms)
      this.#flights.delete(id)
    }
    for (const [id, flight] of this.#flights) this.#flights.set(id, afterReceipt(flight, elapsed(), settings))
    this.#wake()
  }

  async close(): Promise<void> {
    this.#ended = true
    clearTimeout(this.#timer)
    await this.#pumping
  }

  #wake(): void {
    this.#again = true
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = null
    })
  }

  async #pump(): Promise<void> {
    while (this.#again && !this.#ended) {
      this.#again = false
      clearTimeout(this.#timer)
      try {
        await this.#resend()
        await this.#sendNew()
        this.#showNewest()
      } catch (error) {
        this.#deps.log.error({ error: messageOf(error) }, 'sending from the outbox failed')
      }
    }
    if (!this.#ended) this.#setTimer()
  }

  async #resend(): Promise<void> {
    for (const [id, flight] of [...this.#flights]) {
      if (!this.#deps.link.online) return
      if (flight.dueAt > this.#deps.elapsed() || !this.#flights.has(id)) continue
      const batch = this.#deps.outbox.read(id)
      // Dropped meanwhile, because the outbox was full.
      if (!batch) this.#flights.delete(id)
      else await this.#send(batch)
    }
  }

  async #sendNew(): Promise<void> {
    const { link, outbox, settings } = this.#deps
    while (link.online && !this.#ended && this.#flights.size < settings.window) {
      const batch = await outbox.take()
      if (!batch) return
      this.#flights.set(batch.id, GROUNDED)
      await this.#send(batch)
    }
  }

  async #send(batch: Batch): Promise<void> {
    const { outbox, link, settings, now, elapsed } = this.#deps
    const aliases = outbox.aliases.of(batch.device)
    const metrics = this.#metricsOf(batch.device, batch.samples)
    if (settings.receipts === 'required') metrics.unshift(batchMetric(aliases, batch.id, now()))
    const taken = await link.publish(batch.device, metrics)
    const flight = this.#flights.get(batch.id)
    if (!taken || !flight) return
    if (settings.receipts === 'none') {
      await outbox.drop([batch.id])
      this.#flights.delete(batch.id)
    } else this.#flights.set(batch.id, afterSend(flight, elapsed(), settings))
  }

  /** Readings whose batch could not go now, behind a full window. */
  #showNewest(): void {
    const { outbox, link } = this.#deps
    for (const [device, offer] of this.#offers) {
      const late = offer.batch === null || outbox.isWaiting(offer.batch)
      if (late && link.online && link.unwritten < MOST_UNWRITTEN) void link.publish(device, this.#metricsOf(device, [offer]))
    }
    // A birth tells the newest values too, so nothing is owed to a host that was away.
    this.#offers.clear()
  }

  #metricsOf(device: string, samples: readonly Sampled[]): SparkplugMetric[] {
    const { outbox, newest } = this.#deps
    const known = newest.of(device)
    const lastT = outbox.lastT(device)
    return dataMetrics({ aliases: outbox.aliases.of(device), samples, newestT: (metric) => known.get(metric)?.t ?? lastT })
  }

  #setTimer(): void {
    const due = Math.min(...[...this.#flights.values()].map((f) => f.dueAt))
    if (!this.#deps.link.online || due === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(() => this.#wake(), Math.max(100, due - this.#deps.elapsed()))
  }
}
