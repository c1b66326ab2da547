import type { Logger } from 'pino'
import { type BatchId, batchId, counterOf, epochOf } from '#contract/batch.ts'
import { messageOf } from '#contract/fault.ts'
import type { Reading } from '#contract/reading.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import { Aliases } from './aliases.ts'
import { decodeRecord, encodeRecord } from './record.ts'
import { pagesOf } from './room.ts'
import { openStore, type Store } from './store.ts'
import { YoungBatches } from './young-batches.ts'

export type Sampled = { readonly t: UnixMs; readonly readings: ReadonlyMap<string, Reading> }

/** One message of one device. Its id and its readings never change. */
export type Batch = { readonly id: BatchId; readonly device: string; readonly samples: readonly Sampled[] }

/** `t` is the time under which the readings are kept: later than asked for where the clock has stepped back. */
export type Kept = { readonly t: UnixMs; readonly batch: BatchId }

export type OutboxStats = {
  /** Appends (one device at one time) without a receipt. */
  readonly pending: number
  readonly pending_bytes: number
  readonly oldest_t: UnixMs | null
  /** Readings that were dropped because the outbox was full, or that the disk did not give back. Since the outbox was made. */
  readonly lost_readings: number
  readonly last_loss_t: UnixMs | null
  /** Appends whose time was shifted because the clock had stepped back. Since the outbox was made. */
  readonly shifted: number
}

const MOST_DROPPED_AT_ONCE = 4
const NO_LOSS: { readings: number; at: number | null } = { readings: 0, at: null }

/**
 * The agent's durable queue. What `append` has confirmed stays until `drop` names its batch (or, counted, until the outbox is full):
 * over a kill, a power cut and any number of restarts.
 *
 * A batch takes appends of its device until it is taken for sending or the agent ends; from then on its id names these readings for ever.
 * So no batch of an earlier run is ever added to: it may have been sent.
 */
export class Outbox {
  readonly aliases: Aliases
  readonly #store: Store
  readonly #records: Store['records']
  readonly #meta: Store['meta']
  readonly #commits: Store['commits']
  readonly #maxBytes: number
  readonly #log: Logger
  readonly #epoch: number
  readonly #young = new YoungBatches()
  readonly #lastT = new Map<string, number>()
  readonly #stepped = new Set<string>()
  readonly #firstOfRun: number
  #next: number
  /** Every batch before it has been taken or dropped. */
  #cursor = 0
  /** Every batch before it is being dropped, because the outbox is full. */
  #floor = 0
  /** Told once for each time that it fills up. */
  #full = false
  #lost: typeof NO_LOSS
  #shifted: number

  private constructor(store: Store, options: { max_bytes: number; log: Logger }) {
    this.#store = store
    this.#records = store.records
    this.#meta = store.meta
    this.#commits = store.commits
    this.aliases = new Aliases(this.#meta, this.#commits)
    this.#maxBytes = options.max_bytes
    this.#log = options.log
    this.#epoch = store.epoch
    this.#next = this.#number('next', 0)
    this.#firstOfRun = this.#next
    this.#lost = (this.#meta.get('lost') as typeof NO_LOSS | undefined) ?? NO_LOSS
    this.#shifted = this.#number('shifted', 0)
  }

  /** @throws Fault DATA_IN_USE, DISK_FULL */
  static async open(options: { path: string; max_bytes: number; log: Logger }): Promise<Outbox> {
    return new Outbox(await openStore(options.path, options.log), options)
  }

  /** Resolves when the readings are synced to the disk. @throws Fault DISK_FULL, or what the disk said; then nothing was kept. */
  async append(device: string, t: UnixMs, readings: ReadonlyMap<string, Reading>): Promise<Kept> {
    const kept = this.#laterThanLast(device, t)
    const bytes = encodeRecord({ device, t: kept, readings: this.aliases.toAliases(device, readings) })
    const { counter, n } = this.#young.join(device, readings.size, () => this.#next++)
    const victims = this.#victims()
    const [next, shifted, lost] = [this.#next, this.#shifted, this.#lost]
    const written = this.#commits.run(
      () => {
        void this.#records.put([counter, n], bytes)
        void this.#meta.put('next', next)
        void this.#meta.put(['lastT', device], kept)
        if (kept !== t) void this.#meta.put('shifted', shifted)
        this.#remove(victims.keys)
        if (victims.readings > 0) void this.#meta.put('lost', lost)
      },
      { kind: 'add' },
    )
    this.#young.writing(counter, written)
    try {
      await written
    } catch (error) {
      this.#floor = 0
      this.#lost = { ...this.#lost, readings: this.#lost.readings - victims.readings }
      throw error
    }
    return { t: kept, batch: batchId(this.#epoch, counter) }
  }

  /** Seals the oldest batch that was not taken in this run, and gives it out. The order is that of the ids. */
  async take(): Promise<Batch | undefined> {
    for (;;) {
      const counter = this.#oldestFrom(this.#cursor)
      if (counter === undefined) return undefined
      // What is sent under the id must be all that its receipt deletes.
      await this.#young.seal(counter)
      this.#cursor = Math.max(this.#cursor, counter + 1)
      const batch = this.#read(counter)
      // Without samples: all its appends failed, or the disk damaged it.
      if (batch) return batch
    }
  }

  /** The batch as it was taken, or undefined when it is no longer there. */
  read(id: BatchId): Batch | undefined {
    return epochOf(id) === this.#epoch ? this.#read(counterOf(id)) : undefined
  }

  /** The time of the device's last append, in an earlier run too. */
  lastT(device: string): UnixMs {
    return unixMs(this.#lastT.get(device) ?? this.#number(['lastT', device], 0))
  }

  /** True while this append's batch has not been taken. */
  isWaiting(id: BatchId): boolean {
    return counterOf(id) >= this.#cursor
  }

  /**
   * Deletes batches, on their receipt. Ids of other outboxes, and of batches that can't have been sent, are ignored.
   * @returns how many were there. A crash right after it means no more than that they are sent again.
   */
  async drop(ids: readonly BatchId[]): Promise<number> {
    const counters = [...new Set(ids)]
      .filter((id) => epochOf(id) === this.#epoch)
      .map(counterOf)
      .filter((c) => c < this.#cursor || c < this.#firstOfRun)
    const found = counters.map((counter) => this.#keysOf(counter)).filter((keys) => keys.length > 0)
    if (found.length === 0) return 0
    await this.#commits.run(() => this.#remove(found), { kind: 'free' })
    this.#full = false
    return found.length
  }

  /** The number for the next MQTT connection: 0 to 255, one more each time, over restarts too. */
  async nextBdSeq(): Promise<number> {
    const bdSeq = (this.#number('bdSeq', -1) + 1) % 256
    try {
      await this.#commits.run(
        () => {
          void this.#meta.put('bdSeq', bdSeq)
        },
        { kind: 'free' },
      )
    } catch (error) {
      // A full disk must not keep the agent from the receipts that would empty it.
      this.#log.error({ error: messageOf(error) }, 'the birth sequence number could not be kept')
    }
    return bdSeq
  }

  stats(): OutboxStats {
    const [first] = this.#records.getKeys({ limit: 1 })
    const record = first && this.#records.get(first)
    return {
      pending: this.#pages().entries,
      pending_bytes: this.#pages().bytes,
      oldest_t: (record && decodeRecord(record)?.t) ?? null,
      lost_readings: this.#lost.readings,
      last_loss_t: this.#lost.at === null ? null : unixMs(this.#lost.at),
      shifted: this.#shifted,
    }
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  #number(key: string | string[], otherwise: number): number {
    const value = this.#meta.get(key)
    return typeof value === 'number' ? value : otherwise
  }

  /** The times of a metric strictly increase, whatever the clock does and over restarts: a point in history is known by its time. */
  #laterThanLast(device: string, t: UnixMs): UnixMs {
    const last = this.lastT(device)
    const kept = t > last ? t : unixMs(last + 1)
    this.#lastT.set(device, kept)
    if (kept === t) {
      this.#stepped.delete(device)
      return kept
    }
    this.#shifted += 1
    if (!this.#stepped.has(device))
      this.#log.warn({ device, clock: t, kept }, 'the clock has stepped back: times are shifted until it has caught up')
    this.#stepped.add(device)
    return kept
  }

  #oldestFrom(counter: number): number | undefined {
    const [onDisk] = this.#records.getKeys({ start: [counter, 0], limit: 1 })
    const young = this.#young.oldestFrom(counter)
    if (!onDisk) return young
    return young === undefined ? onDisk[0] : Math.min(onDisk[0], young)
  }

  #keysOf(counter: number): [number, number][] {
    return [...this.#records.getKeys({ start: [counter, 0], end: [counter + 1, 0] })]
  }

  #read(counter: number): Batch | undefined {
    const samples: Sampled[] = []
    let device: string | undefined
    for (const { key, value } of this.#records.getRange({ start: [counter, 0], end: [counter + 1, 0] })) {
      const record = decodeRecord(value)
      if (record) {
        device = record.device
        samples.push({ t: record.t, readings: this.aliases.toNames(record.readings) })
      } else this.#discard(key)
    }
    return device === undefined ? undefined : { id: batchId(this.#epoch, counter), device, samples }
  }

  /** A record whose checksum does not hold. How many readings it had nobody knows. */
  #discard(key: [number, number]): void {
    this.#log.error({ key }, 'the disk has damaged a record of the outbox; it is lost')
    this.#lost = { readings: this.#lost.readings + 1, at: Date.now() }
    const lost = this.#lost
    this.#commits
      .run(
        () => {
          void this.#records.remove(key)
          void this.#meta.put('lost', lost)
        },
        { kind: 'free' },
      )
      .catch((error: unknown) => this.#log.error({ error: messageOf(error) }, 'the damaged record could not be removed'))
  }

  /** Nothing unless the outbox is full; then the keys of the oldest batches, already counted as lost. */
  #victims(): { keys: [number, number][][]; readings: number } {
    const victims: { keys: [number, number][][]; readings: number } = { keys: [], readings: 0 }
    if (this.#pages().bytes <= this.#maxBytes) return victims
    while (victims.keys.length < MOST_DROPPED_AT_ONCE) {
      const [oldest] = this.#records.getKeys({ start: [this.#floor, 0], limit: 1 })
      if (!oldest || this.#young.has(oldest[0])) break
      const keys = this.#keysOf(oldest[0])
      for (const key of keys) victims.readings += decodeRecord(this.#records.get(key) ?? Buffer.alloc(0))?.readings.size ?? 1
      victims.keys.push(keys)
      this.#floor = oldest[0] + 1
    }
    if (victims.readings === 0) return victims
    if (!this.#full) this.#log.error('the outbox is full: the oldest readings are dropped, and counted')
    this.#full = true
    this.#lost = { readings: this.#lost.readings + victims.readings, at: Date.now() }
    return victims
  }

  #remove(batches: readonly (readonly [number, number][])[]): void {
    for (const keys of batches) for (const key of keys) void this.#records.remove(key)
  }

  #pages(): { entries: number; bytes: number } {
    const stats = this.#records.getStats() as Parameters<typeof pagesOf>[0] & { entryCount: number; pageSize: number }
    return { entries: stats.entryCount, bytes: stats.pageSize * pagesOf(stats) }
  }
}
