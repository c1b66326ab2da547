import type { Logger } from 'pino'
import { type BatchId, batchId, counterOf, epochOf } from '#contract/batch.ts'
import { messageOf } from '#contract/fault.ts'
import type { Reading } from '#contract/reading.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import { Aliases } from './aliases.ts'
import type { Batch, Kept, LostBatch, OutboxOptions, OutboxStats, Sampled } from './batches.ts'
import { GivingUp } from './giving-up.ts'
import { type BootTime, type HeldEntry, HeldReadings } from './held.ts'
import { KeepRate, roomInHours } from './keep-rate.ts'
import { Losses } from './losses.ts'
import { encodeRecord } from './record.ts'
import { pagesOf } from './room.ts'
import { openStore, type Store } from './store.ts'
import { batchOf, StoredBatches } from './stored-batches.ts'
import { YoungBatches } from './young-batches.ts'

export type { Batch, Kept, LostBatch, OutboxStats, Sampled } from './batches.ts'

const MOST_RELEASED_AT_ONCE = 64

/**
 * The agent's durable queue. What `append` has confirmed stays until `drop` names its batch (or, counted and told, until the outbox is full or
 * it is too old): over a kill, a power cut and any number of restarts.
 *
 * A batch takes appends of its device until it is taken for sending or the agent ends; from then on its id names these readings for ever.
 * So no batch of an earlier run is ever added to: it may have been sent.
 */
export class Outbox {
  readonly aliases: Aliases
  readonly #options: OutboxOptions
  readonly #store: Store
  readonly #records: Store['records']
  readonly #meta: Store['meta']
  readonly #commits: Store['commits']
  readonly #log: Logger
  readonly #epoch: number
  readonly #young = new YoungBatches()
  readonly #stored: StoredBatches
  readonly #held: HeldReadings
  readonly #losses: Losses
  readonly #givingUp: GivingUp
  readonly #rate: KeepRate
  readonly #lastT = new Map<string, number>()
  readonly #stepped = new Set<string>()
  readonly #firstOfRun: number
  /** Given out in this run and not yet deleted. */
  readonly #taken = new Set<number>()
  #next: number
  /** Batches before it are the backlog, the others the present. */
  #border = 0
  #shifted: number
  #readings: number

  private constructor(store: Store, options: OutboxOptions) {
    this.#options = options
    this.#store = store
    this.#records = store.records
    this.#meta = store.meta
    this.#commits = store.commits
    this.#log = options.log
    this.#epoch = store.epoch
    this.aliases = new Aliases(this.#meta, this.#commits)
    this.#stored = new StoredBatches(this.#records, this.aliases)
    this.#held = new HeldReadings(store, this.aliases)
    this.#losses = new Losses(this.#meta)
    this.#rate = new KeepRate(options.elapsed ?? (() => performance.now()))
    this.#next = this.#number('next', 0)
    this.#firstOfRun = this.#next
    this.#border = this.#next
    this.#shifted = this.#number('shifted', 0)
    this.#readings = this.#number('readings', 0)
    this.#givingUp = new GivingUp({
      ...{ options, store, stored: this.#stored, young: this.#young, held: this.#held, losses: this.#losses },
      oldestFree: (from) => this.#oldestFree(from, this.#next),
      bytes: () => this.#pages().bytes,
      lastT: (device) => this.lastT(device),
      onGone: (readings) => {
        this.#readings = Math.max(0, this.#readings - readings)
      },
    })
  }

  /** @throws Fault DATA_IN_USE, DISK_FULL */
  static async open(options: OutboxOptions): Promise<Outbox> {
    return new Outbox(await openStore(options.path, options.log), options)
  }

  /** Resolves when the readings are synced to the disk. @throws Fault DISK_FULL, or what the disk said; then nothing was kept. */
  async append(device: string, t: UnixMs, readings: ReadonlyMap<string, Reading>): Promise<Kept> {
    return await this.#append(device, { t, readings }, () => undefined)
  }

  /** Whether readings wait for their time: then nothing may be appended before them. */
  holds(): boolean {
    return this.#held.size > 0
  }

  /** Keeps readings whose time is not known yet. Resolves when they are on the disk. @throws as append */
  async hold(device: string, at: BootTime, readings: ReadonlyMap<string, Reading>): Promise<void> {
    await this.#held.put(device, at, readings)
    if (this.#pages().bytes <= this.#options.max_bytes) return
    // Without a time nothing is too old; what has its time already goes first.
    if (this.#oldestFree(0, this.#next) !== undefined) this.#givingUp.dropSome(unixMs(0))
    else await this.#givingUp.loseHeld(() => this.#held.oldest(MOST_RELEASED_AT_ONCE), unixMs(0))
  }

  /**
   * Gives held readings their time and appends them, each in one transaction with its removal. Those of another boot have none any more:
   * they are lost, counted and told. @returns how many have their time now
   */
  async release(
    now: { t: UnixMs; boot: string; toTime: (mono: number) => UnixMs },
    onKept: (device: string, kept: Kept, readings: Sampled['readings']) => void,
  ): Promise<number> {
    let released = 0
    for (let some = this.#held.oldest(MOST_RELEASED_AT_ONCE); some.length > 0; some = this.#held.oldest(MOST_RELEASED_AT_ONCE)) {
      const others = some.filter((e) => e.device === null || e.boot !== now.boot)
      if (others.length > 0) await this.#givingUp.loseHeld(() => others, now.t)
      const ours = some.filter((e): e is HeldEntry => e.device !== null && e.boot === now.boot)
      await Promise.all(
        ours.map(async ({ key, device, mono, readings }) => {
          const removal = this.#held.removal([key])
          const kept = await this.#append(device, { t: now.toTime(mono), readings }, removal.write)
          removal.done()
          onKept(device, kept, readings)
        }),
      )
      released += ours.length
    }
    return released
  }

  async #append(device: string, { t, readings }: Sampled, also: () => void): Promise<Kept> {
    const kept = this.#laterThanLast(device, t)
    const bytes = encodeRecord({ device, t: kept, readings: this.aliases.toAliases(device, readings) })
    const { counter, n } = this.#young.join(device, readings.size, () => this.#next++)
    this.#readings += readings.size
    const [next, shifted, held] = [this.#next, this.#shifted, this.#readings]
    const written = this.#commits.run(
      () => {
        void this.#records.put([counter, n], bytes)
        void this.#meta.put('next', next)
        void this.#meta.put(['lastT', device], kept)
        void this.#meta.put('readings', held)
        if (kept !== t) void this.#meta.put('shifted', shifted)
        also()
      },
      { kind: 'add' },
    )
    this.#young.writing(counter, written)
    try {
      await written
    } catch (error) {
      this.#readings -= readings.size
      throw error
    } finally {
      // A full disk is a reason to drop too: nothing else can make room while the link is down.
      this.#givingUp.dropSome(kept)
    }
    this.#rate.add(bytes.length)
    return { t: kept, batch: batchId(this.#epoch, counter) }
  }

  /** What waits now becomes the backlog; what is kept from now on is the present, and may overtake it. */
  divide(): void {
    this.#young.closeAll()
    this.#border = this.#next
  }

  /** Seals the oldest batch of the present, or of the backlog, that was not taken in this run, and gives it out. */
  async take(which: 'present' | 'backlog'): Promise<Batch | undefined> {
    for (;;) {
      const counter = which === 'present' ? this.#oldestFree(this.#border, this.#next) : this.#oldestFree(0, this.#border)
      if (counter === undefined) return undefined
      this.#taken.add(counter)
      // What is sent under the id must be all that its receipt deletes.
      await this.#young.seal(counter)
      const batch = this.#read(counter)
      if (batch) return batch
      // Without samples: all its appends failed, or the disk damaged it.
      this.#taken.delete(counter)
    }
  }

  /** Losses that are to be told and were not taken in this run. */
  async takeLost(): Promise<LostBatch | undefined> {
    const free = [...this.#losses.told].find(([counter]) => !this.#taken.has(counter))
    if (free) {
      this.#taken.add(free[0])
      return { id: batchId(this.#epoch, free[0]), lost: free[1] }
    }
    if (!this.#losses.waiting) return undefined
    await this.#givingUp.inTurn(async () => {
      const counter = this.#next++
      const next = this.#next
      const change = this.#losses.seal(counter)
      await this.#commits.run(
        () => {
          change.write()
          void this.#meta.put('next', next)
        },
        { kind: 'free' },
      )
      change.done()
    })
    return await this.takeLost()
  }

  /** The batch as it was taken, or undefined when it is no longer there. */
  read(id: BatchId): Batch | LostBatch | undefined {
    if (epochOf(id) !== this.#epoch) return undefined
    const lost = this.#losses.told.get(counterOf(id))
    return lost ? { id, lost } : this.#read(counterOf(id))
  }

  /** The time of the device's last append, in an earlier run too. */
  lastT(device: string): UnixMs {
    return unixMs(this.#lastT.get(device) ?? this.#number(['lastT', device], 0))
  }

  /** True while this append's batch is here and has not been taken. */
  isWaiting(id: BatchId): boolean {
    const counter = counterOf(id)
    return !this.#taken.has(counter) && (this.#young.has(counter) || this.#stored.keysOf(counter).length > 0)
  }

  /**
   * Deletes batches, on their receipt. Ids of other outboxes, and of batches that can't have been sent, are ignored.
   * @returns how many were there. A crash right after it means no more than that they are sent again.
   */
  async drop(ids: readonly BatchId[]): Promise<number> {
    const counters = [...new Set(ids)]
      .filter((id) => epochOf(id) === this.#epoch)
      .map(counterOf)
      .filter((c) => this.#taken.has(c) || c < this.#firstOfRun)
    const lost = counters.filter((c) => this.#losses.told.has(c))
    const found = counters.map((counter) => this.#stored.keysOf(counter)).filter((keys) => keys.length > 0)
    if (found.length + lost.length === 0) {
      for (const c of counters) this.#taken.delete(c)
      return 0
    }
    const readings = found.flat().reduce((n, key) => n + (this.#stored.recordAt(key)?.readings.size ?? 0), 0)
    const forgotten = this.#losses.forget(lost)
    const held = Math.max(0, this.#readings - readings)
    await this.#commits.run(
      () => {
        this.#stored.remove(found.flat())
        void this.#meta.put('readings', held)
        forgotten.write()
      },
      { kind: 'free' },
    )
    forgotten.done()
    this.#readings = Math.max(0, this.#readings - readings)
    for (const c of counters) this.#taken.delete(c)
    this.#givingUp.relieved()
    return found.length + lost.length
  }

  /** The number for the next MQTT connection: 0 to 255, one more each time, over restarts too. */
  async nextBdSeq(): Promise<number> {
    const bdSeq = (this.#number('bdSeq', -1) + 1) % 256
    await this.remember('bdSeq', bdSeq)
    return bdSeq
  }

  /** A small figure that survives a restart. */
  recall(name: string): unknown {
    return this.#meta.get(name)
  }

  /** Never throws: a full disk must not keep the agent from the receipts that would empty it. */
  async remember(name: string, value: unknown): Promise<void> {
    try {
      await this.#commits.run(() => void this.#meta.put(name, value), { kind: 'free' })
    } catch (error) {
      this.#log.error({ error: messageOf(error), name }, 'a figure could not be kept')
    }
  }

  stats(): OutboxStats {
    const { entries, bytes } = this.#pages()
    const { readings, from, to } = this.#givingUp.lost
    return {
      pending: entries,
      pending_readings: entries === 0 ? 0 : this.#readings,
      pending_bytes: bytes,
      oldest_t: this.#stored.oldestTime(),
      room_h: roomInHours(this.#options, { bytes, perHour: this.#rate.perHour() }),
      lost_readings: readings,
      lost_from_t: from === undefined ? null : unixMs(from),
      lost_to_t: to === undefined ? null : unixMs(to),
      shifted: this.#shifted,
    }
  }

  async close(): Promise<void> {
    await this.#givingUp.settled()
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

  /** The oldest batch in [from, to) that has not been taken. */
  #oldestFree(from: number, to: number): number | undefined {
    for (let counter = this.#oldestFrom(from); counter !== undefined && counter < to; counter = this.#oldestFrom(counter + 1))
      if (!this.#taken.has(counter)) return counter
    return undefined
  }

  #oldestFrom(counter: number): number | undefined {
    const [onDisk, young] = [this.#stored.oldestFrom(counter), this.#young.oldestFrom(counter)]
    if (onDisk === undefined) return young
    return young === undefined ? onDisk : Math.min(onDisk, young)
  }

  #read(counter: number): Batch | undefined {
    const found = this.#stored.find(counter)
    if (found.damaged.length > 0) this.#givingUp.discard(found)
    return batchOf(found, this.#epoch, counter)
  }

  #pages(): { entries: number; bytes: number } {
    type Stats = Parameters<typeof pagesOf>[0] & { entryCount: number; pageSize: number }
    const [records, held] = [this.#records.getStats() as Stats, this.#store.held.getStats() as Stats]
    return { entries: records.entryCount, bytes: records.pageSize * (pagesOf(records) + pagesOf(held)) }
  }
}
