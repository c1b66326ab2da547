import type { Logger } from 'pino'
import type { BatchId } from '#contract/batch.ts'
import { messageOf } from '#contract/fault.ts'
import type { SparkplugMetric } from '#contract/sparkplug/payload.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Newest } from '../newest.ts'
import type { Batch, LostBatch, Outbox, Sampled } from '../outbox/outbox.ts'
import type { UplinkSettings } from '../settings.ts'
import { afterReceipt, afterSend, type Flight, GROUNDED } from './flight.ts'
import { type Offer, Offers } from './offers.ts'
import { batchMetric, dataMetrics, lostMetrics } from './payloads.ts'
import { mayTrickle, observed, type Throughput, UNKNOWN } from './throughput.ts'

/** What the sender needs of the session. */
export type Link = {
  readonly online: boolean
  /** Publications that wait because the link takes no more. */
  readonly unwritten: number
  /** @returns the bytes of the payload, or null when the socket did not take it. */
  publish(device: string, metrics: SparkplugMetric[]): Promise<number | null>
  publishNode(metrics: SparkplugMetric[]): Promise<number | null>
}

export type SenderDeps = {
  readonly outbox: Outbox
  readonly link: Link
  readonly newest: Newest
  readonly settings: UplinkSettings
  /** How long a reading that is not urgent may wait for company, in ms. */
  readonly latencyMs: () => number
  readonly now: () => UnixMs
  /** A clock that no one sets, in ms. */
  readonly elapsed: () => number
  readonly log: Logger
}

/** Beyond this the link is behind by seconds, and newer values will come. */
const MOST_UNWRITTEN = 8
/** A present that is older than this, beside the time that it may wait for company, is behind: it becomes backlog, and what comes now overtakes it. In ms. */
const PRESENT_MS = 30_000
/** The longest that a reading of the present may have to wait behind the backlog, in ms. */
const TRICKLE_BUDGET_MS = 2000
const NEVER = Number.POSITIVE_INFINITY

/**
 * Carries batches from the outbox to the host, at most `window` of them without a receipt, each again under its id until its receipt comes.
 * The present goes first; the backlog of an outage trickles behind it, oldest first, as the link allows. Newest values that must wait all the
 * same, because the host gives no receipts, go out at once without an id: to be seen, not to be kept.
 */
export class Sender {
  readonly #deps: SenderDeps
  readonly #flights = new Map<BatchId, Flight>()
  readonly #offers = new Offers()
  #throughput: Throughput = UNKNOWN
  /** Until when what has just been kept waits for company, by the clock that no one sets; null where nothing does. */
  #waitUntil: number | null = null
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
  offer(device: string, offer: Offer, options: { urgent: boolean }): void {
    const { elapsed, latencyMs } = this.#deps
    this.#offers.add(device, offer)
    const until = elapsed() + (options.urgent ? 0 : latencyMs())
    this.#waitUntil = Math.min(this.#waitUntil ?? NEVER, until)
    if (!this.#isWaiting()) this.#wake()
    else if (this.#pumping === null) this.#setTimer()
  }

  /** Nothing more will come before the wait is over: what waits for company goes now. */
  complete(): void {
    if (this.#waitUntil === null) return
    this.#waitUntil = this.#deps.elapsed()
    this.#wake()
  }

  /** The session has begun: what was sent over an earlier connection may be lost, and what waits is the backlog. */
  online(): void {
    for (const [id, { kind }] of this.#flights) this.#flights.set(id, { ...GROUNDED, kind })
    this.#deps.outbox.divide()
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
      const flight = this.#flights.get(id)
      this.#flights.delete(id)
      if (!flight || Number.isNaN(flight.sentAt)) continue
      this.#lastReceiptDelayMs = Math.round(elapsed() - flight.sentAt)
      // Of a batch that was repeated nobody knows which sending is receipted.
      if (flight.attempts === 1) this.#throughput = observed(this.#throughput, flight.bytes, elapsed() - flight.sentAt)
    }
    for (const [id, flight] of this.#flights) this.#flights.set(id, afterReceipt(flight, elapsed(), settings))
    this.#wake()
  }

  async close(): Promise<void> {
    this.#ended = true
    clearTimeout(this.#timer)
    await this.#pumping
  }

  #isWaiting(): boolean {
    return this.#waitUntil !== null && this.#deps.elapsed() < this.#waitUntil
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
        if (!this.#isWaiting()) {
          this.#waitUntil = null
          await this.#sendPresent()
          this.#showNewest()
        }
        await this.#sendBacklog()
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
      // The disk no longer gives it back.
      if (!batch) this.#flights.delete(id)
      else await this.#send(batch)
    }
  }

  async #sendPresent(): Promise<void> {
    const { link, outbox, settings, latencyMs, now } = this.#deps
    const sending: Promise<void>[] = []
    while (link.online && !this.#ended && this.#flights.size < settings.window) {
      const batch = await outbox.take('present')
      if (!batch) break
      // Receipts were away for long: the present of then is a backlog now.
      if ((batch.samples[0]?.t ?? 0) < now() - PRESENT_MS - latencyMs()) outbox.divide()
      this.#flights.set(batch.id, { ...GROUNDED, kind: 'present' })
      // Not one after the other: what is written in one turn shares a packet.
      sending.push(this.#send(batch))
    }
    await Promise.all(sending)
  }

  async #sendBacklog(): Promise<void> {
    const { link, outbox, settings } = this.#deps
    // One place of the window is the present's.
    const most = Math.max(1, settings.window - 1)
    while (link.online && !this.#ended && this.#flights.size < settings.window) {
      const away = [...this.#flights.values()].filter((f) => f.kind === 'backlog')
      const bytes = away.reduce((n, f) => n + f.bytes, 0)
      if (away.length >= most || !mayTrickle(this.#throughput, { batches: away.length, bytes }, TRICKLE_BUDGET_MS)) return
      const batch = (settings.receipts === 'required' ? await outbox.takeLost() : undefined) ?? (await outbox.take('backlog'))
      if (!batch) return
      this.#flights.set(batch.id, { ...GROUNDED, kind: 'backlog' })
      await this.#send(batch)
    }
  }

  async #send(batch: Batch | LostBatch): Promise<void> {
    const { outbox, settings, elapsed } = this.#deps
    const bytes = await this.#publish(batch)
    const flight = this.#flights.get(batch.id)
    if (bytes === null || !flight) return
    if (settings.receipts === 'none') {
      await outbox.drop([batch.id])
      this.#flights.delete(batch.id)
    } else this.#flights.set(batch.id, afterSend({ ...flight, bytes }, elapsed(), settings))
  }

  #publish(batch: Batch | LostBatch): Promise<number | null> {
    const { outbox, link, settings, now } = this.#deps
    if ('lost' in batch) return link.publishNode(lostMetrics(batch, now()))
    const metrics = this.#metricsOf(batch.device, batch.samples)
    if (settings.receipts === 'required') metrics.unshift(batchMetric(outbox.aliases.of(batch.device), batch.id, now()))
    return link.publish(batch.device, metrics)
  }

  /** Readings whose batch could not go now, behind a full window. */
  #showNewest(): void {
    const { outbox, link } = this.#deps
    // A birth tells the newest values too, so nothing is owed to a host that was away.
    const late = this.#offers.takeLate((batch) => batch === null || outbox.isWaiting(batch))
    for (const [device, samples] of late)
      if (link.online && link.unwritten < MOST_UNWRITTEN) void link.publish(device, this.#metricsOf(device, samples))
  }

  #metricsOf(device: string, samples: readonly Sampled[]): SparkplugMetric[] {
    const { outbox, newest } = this.#deps
    const known = newest.of(device)
    const lastT = outbox.lastT(device)
    return dataMetrics({ aliases: outbox.aliases.of(device), samples, newestT: (metric) => known.get(metric)?.t ?? lastT })
  }

  #setTimer(): void {
    clearTimeout(this.#timer)
    if (!this.#deps.link.online || this.#ended) return
    const now = this.#deps.elapsed()
    const repeat = Math.min(...[...this.#flights.values()].map((f) => f.dueAt))
    const wait = Math.min(Math.max(100, repeat - now), Math.max(0, (this.#waitUntil ?? NEVER) - now))
    if (wait !== NEVER) this.#timer = setTimeout(() => this.#wake(), wait)
  }
}
