import { type BatchId, batchId } from '#contract/batch.ts'
import { metricOf } from '#contract/metrics.ts'
import { good } from '#contract/reading.ts'
import { encodePayload, type SparkplugMetric } from '#contract/sparkplug/payload.ts'
import { metricOfReading } from '#contract/sparkplug/readings.ts'
import { deviceTopic, NAMES, type NodeAddress, nodeTopic } from '#contract/topics.ts'
import { unixMs } from '#contract/units.ts'
import { swing } from '../noise.ts'

/** Since the fleet was opened. Batches unless it says otherwise. */
export type FleetCounts = {
  readonly made: number
  readonly readings: number
  /** First sendings. */
  readonly sent: number
  readonly repeated: number
  readonly receipted: number
  readonly waiting: number
  readonly births: number
  readonly payload_bytes: number
  /** The longest time from a first sending to its receipt, in ms. */
  readonly slowest_receipt_ms: number
}
export const noCounts = (): FleetCounts => ({
  made: 0,
  readings: 0,
  sent: 0,
  repeated: 0,
  receipted: 0,
  waiting: 0,
  births: 0,
  payload_bytes: 0,
  slowest_receipt_ms: 0,
})
export const addCounts = (a: FleetCounts, b: FleetCounts): FleetCounts => ({
  made: a.made + b.made,
  readings: a.readings + b.readings,
  sent: a.sent + b.sent,
  repeated: a.repeated + b.repeated,
  receipted: a.receipted + b.receipted,
  waiting: a.waiting + b.waiting,
  births: a.births + b.births,
  payload_bytes: a.payload_bytes + b.payload_bytes,
  slowest_receipt_ms: Math.max(a.slowest_receipt_ms, b.slowest_receipt_ms),
})

export type VirtualSiteOptions = {
  readonly structures: readonly string[]
  readonly metrics: readonly string[]
  readonly everyMs: number
  readonly window: number
  readonly backlog: number
  readonly samplesPerBatch: number
  readonly retryMs: number
  readonly seed: number
  /** What is read; where it is not given, `fleetValue`. */
  readonly readingAt?: (metric: string, structure: string, t: number) => number
  readonly epoch: number
  /** Its turn within `everyMs`, from 0 to 1. */
  readonly offset: number
  /** Told the time from each batch's first sending to its receipt, ms. */
  readonly onReceipt?: (ms: number) => void
}

type Batch = { readonly id: BatchId; readonly structure: string; readonly times: readonly number[] }
type Flight = { readonly batch: Batch; readonly firstAt: number; readonly sentAt: number }
type Publish = (topic: string, payload: Uint8Array) => void
type State = { readonly at: 'offline' } | { readonly at: 'online'; readonly publish: Publish }

const BACKLOG_STEP_MS = 5000
const BATCH_ALIAS = 1
const FIRST_ALIAS = 2

/** One agent as the center sees it. Values are made when they are sent, so what waits costs little memory. */
export class VirtualSite {
  readonly address: NodeAddress
  readonly #options: VirtualSiteOptions
  readonly #waiting: Batch[] = []
  readonly #flights = new Map<BatchId, Flight>()
  #counts = noCounts()
  #state: State = { at: 'offline' }
  #counter = 0
  #seq = 0
  #bdSeq = 0
  #nextAt: number | null = null

  constructor(address: NodeAddress, options: VirtualSiteOptions) {
    this.address = address
    this.#options = options
  }

  get counts(): FleetCounts {
    return { ...this.#counts, waiting: this.#waiting.length + this.#flights.size }
  }

  death(now: number): Uint8Array {
    return encodePayload({
      timestamp: now,
      metrics: [{ name: NAMES.bdSeq, timestamp: now, datatype: 'Int64', value: BigInt(this.#bdSeq) }],
    })
  }

  online(publish: Publish, now: number): void {
    this.#state = { at: 'online', publish }
    this.bear(now)
    if (this.#nextAt === null) this.#begin(now)
    // What was sent over an earlier connection may be lost.
    for (const [id, flight] of this.#flights) this.#flights.set(id, { ...flight, sentAt: Number.NEGATIVE_INFINITY })
    this.tick(now, { making: true })
  }

  offline(): void {
    this.#state = { at: 'offline' }
  }

  bear(now: number): void {
    const of = (name: string, alias: number, datatype: SparkplugMetric['datatype'] & string): SparkplugMetric => ({
      name,
      alias,
      timestamp: now,
      datatype,
      value: null,
    })
    this.#seq = 0
    this.#counts = { ...this.#counts, births: this.#counts.births + 1 }
    this.#send(nodeTopic('NBIRTH', this.address), now, [
      { name: NAMES.bdSeq, timestamp: now, datatype: 'Int64', value: BigInt(this.#bdSeq) },
      { name: NAMES.rebirth, timestamp: now, datatype: 'Boolean', value: false },
      { name: NAMES.batch, timestamp: now, datatype: 'UInt64', value: null },
      { name: NAMES.receipt, timestamp: now, datatype: 'Bytes', value: null },
    ])
    for (const device of this.#options.structures)
      this.#send(deviceTopic('DBIRTH', { ...this.address, device }), now, [
        of(NAMES.batch, this.#alias(device, null), 'UInt64'),
        ...this.#options.metrics.map((m) => of(m, this.#alias(device, m), metricOf(m)?.datatype ?? 'Float')),
      ])
  }

  /** To be called often: makes what is due, sends what the window takes, repeats what has no receipt. */
  tick(now: number, { making }: { making: boolean }): void {
    const { everyMs, structures } = this.#options
    if (everyMs > 0 && this.#nextAt !== null)
      for (; now >= this.#nextAt; this.#nextAt += everyMs)
        if (making) for (const structure of structures) this.#make(structure, [this.#nextAt])
    this.#sendDue(now)
  }

  #sendDue(now: number): void {
    const { window, retryMs } = this.#options
    if (this.#state.at === 'offline') return
    for (const [id, flight] of this.#flights) {
      if (now - flight.sentAt < retryMs) continue
      this.#counts = { ...this.#counts, repeated: this.#counts.repeated + 1 }
      this.#flights.set(id, { ...flight, sentAt: now })
      this.#sendBatch(flight.batch, now)
    }
    while (this.#flights.size < window) {
      const batch = this.#waiting.shift()
      if (!batch) return
      this.#counts = { ...this.#counts, sent: this.#counts.sent + 1 }
      this.#flights.set(batch.id, { batch, firstAt: now, sentAt: now })
      this.#sendBatch(batch, now)
    }
  }

  receipt(ids: readonly BatchId[], now: number): void {
    for (const id of ids) {
      const flight = this.#flights.get(id)
      if (!flight) continue
      this.#flights.delete(id)
      this.#options.onReceipt?.(now - flight.firstAt)
      const slowest_receipt_ms = Math.max(this.#counts.slowest_receipt_ms, now - flight.firstAt)
      this.#counts = { ...this.#counts, receipted: this.#counts.receipted + 1, slowest_receipt_ms }
    }
    this.#sendDue(now)
  }

  #begin(now: number): void {
    const { everyMs, backlog, samplesPerBatch, structures, offset } = this.#options
    this.#nextAt = everyMs === 0 ? Number.POSITIVE_INFINITY : now + Math.round(everyMs * offset)
    const step = everyMs || BACKLOG_STEP_MS
    for (let first = 0; first < backlog; first += samplesPerBatch) {
      const samples = Math.min(samplesPerBatch, backlog - first)
      for (const structure of structures)
        this.#make(
          structure,
          Array.from({ length: samples }, (_, i) => now - (backlog - first - i) * step),
        )
    }
  }

  #make(structure: string, times: readonly number[]): void {
    this.#waiting.push({ id: batchId(this.#options.epoch, this.#counter++), structure, times })
    const readings = this.#counts.readings + times.length * this.#options.metrics.length
    this.#counts = { ...this.#counts, made: this.#counts.made + 1, readings }
  }

  #sendBatch({ id, structure, times }: Batch, now: number): void {
    const { metrics, seed } = this.#options
    const readingAt = this.#options.readingAt ?? ((name, of, t) => fleetValue(name, seed, of, t))
    const samples = times.flatMap((t) =>
      metrics.map((name) => {
        const value = readingAt(name, structure, t)
        return metricOfReading(name, this.#alias(structure, name), { t: unixMs(t), reading: good(value) }, { historical: false })
      }),
    )
    const batch: SparkplugMetric = { alias: this.#alias(structure, null), timestamp: now, datatype: 'UInt64', value: id }
    this.#send(deviceTopic('DDATA', { ...this.address, device: structure }), now, [batch, ...samples])
  }

  #send(topic: string, timestamp: number, metrics: SparkplugMetric[]): void {
    if (this.#state.at === 'offline') return
    const payload = encodePayload({ timestamp, seq: this.#seq, metrics })
    this.#seq = (this.#seq + 1) % 256
    this.#counts = { ...this.#counts, payload_bytes: this.#counts.payload_bytes + payload.length }
    this.#state.publish(topic, payload)
  }

  /** Unique in the site; null is the batch's. */
  #alias(structure: string, metric: string | null): number {
    const { structures, metrics } = this.#options
    const place = metric === null ? BATCH_ALIAS : FIRST_ALIAS + metrics.indexOf(metric)
    return structures.indexOf(structure) * (metrics.length + FIRST_ALIAS) + place
  }
}

/** A value that belongs to its metric and moves a little. */
export function fleetValue(name: string, seed: number, structure: string, t: number): number {
  const known = metricOf(name)
  if (known?.datatype === 'Boolean') return swing(seed, structure, name, Math.floor(t / 600_000)) > 0.9 ? 1 : 0
  if (name === 'rssi') return -75 + Math.round(5 * swing(seed, structure, name, t))
  if (known?.datatype === 'Int32') return 0
  return Math.fround(1.5 + 0.3 * Math.sin(t / 3_600_000) + 0.01 * swing(seed, structure, name, t))
}
