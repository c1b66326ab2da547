import { messageOf } from '#contract/fault.ts'
import type { LossReason } from '#contract/lost.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { OutboxOptions } from './batches.ts'
import type { HeldReadings } from './held.ts'
import type { Loss, Losses } from './losses.ts'
import type { Store } from './store.ts'
import type { Found, RecordKey, StoredBatches } from './stored-batches.ts'
import type { YoungBatches } from './young-batches.ts'

/** All that was lost since the outbox was made, and the interval of the last. */
type Lost = { readonly readings: number; readonly from?: number; readonly to?: number }
type Victims = { readonly keys: readonly RecordKey[]; readonly losses: readonly Loss[] }

type Ground = {
  readonly options: OutboxOptions
  readonly store: Pick<Store, 'meta' | 'commits'>
  readonly stored: StoredBatches
  readonly young: YoungBatches
  readonly held: HeldReadings
  readonly losses: Losses
  /** The oldest batch from this counter on that is not on its way. */
  oldestFree(from: number): number | undefined
  /** What the outbox takes on the disk. */
  bytes(): number
  /** The time of the device's last append. */
  lastT(device: string): UnixMs
  /** So many readings are here no more. */
  onGone(readings: number): void
}

const MOST_DROPPED_AT_ONCE = 4

/**
 * What the outbox gives up: the oldest when it is full or too old, records that the disk damaged, readings whose time can not be known any more. Each
 * deletion is one transaction with its count and with the loss that is told to the center.
 */
export class GivingUp {
  readonly #ground: Ground
  #lost: Lost
  /** Told once for each time that it fills up. */
  #full = false
  #isDropping = false
  /** Losses change one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(ground: Ground) {
    this.#ground = ground
    this.#lost = (ground.store.meta.get('lost') as Lost | undefined) ?? { readings: 0 }
  }

  get lost(): Lost {
    return this.#lost
  }

  /** A receipt has made room. */
  relieved(): void {
    this.#full = false
  }

  /** Work that changes losses too, after what is under way. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return await turn
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#turn
  }

  /** Drops the oldest until the outbox is within its limits. Batches on their way are left alone: they may be in history. */
  dropSome(now: UnixMs): void {
    const { oldestFree, options } = this.#ground
    if (this.#isDropping || !this.#whyDrop(now, oldestFree(0))) return
    this.#isDropping = true
    void this.inTurn(async () => {
      for (;;) {
        const victims = this.#victims(now)
        if (victims.keys.length === 0) return
        await this.#lose(victims)
      }
    })
      .catch((error: unknown) => options.log.error({ error: messageOf(error) }, 'the outbox could not make room'))
      .finally(() => {
        this.#isDropping = false
      })
  }

  /** Records whose checksum does not hold. How many readings they had nobody knows; their batch tells about when. */
  discard({ damaged: keys, device, samples }: Found): void {
    const { log } = this.#ground.options
    log.error({ keys }, 'the disk has damaged records of the outbox; they are lost')
    const times = samples.map((s) => s.t)
    const now = Date.now()
    const loss = { structure: device ?? null, from: Math.min(now, ...times), to: Math.max(...times, times.length === 0 ? now : 0) }
    void this.inTurn(() => this.#lose({ keys, losses: [{ ...loss, readings: keys.length, why: 'damaged' }] })).catch((error: unknown) =>
      log.error({ error: messageOf(error) }, 'readings could not be deleted'),
    )
  }

  /** Held readings that get no time any more: somewhere between the device's last known time and `until`. @param which asked when it is their turn */
  loseHeld(which: () => ReturnType<HeldReadings['oldest']>, until: UnixMs): Promise<void> {
    return this.inTurn(async () => {
      const { held, losses: known, lastT, options } = this.#ground
      const entries = which()
      const losses = entries.map((e): Loss => {
        const from = e.device === null ? until : lastT(e.device)
        return {
          structure: e.device,
          from,
          to: Math.max(from, until),
          readings: e.device === null ? 1 : e.readings.size,
          why: 'time_unknown',
        }
      })
      const change = known.add(losses)
      const removal = held.removal(entries.map((e) => e.key))
      await this.#commit(losses, () => {
        removal.write()
        change.write()
      })
      removal.done()
      change.done()
      options.log.error(
        { readings: this.#lost.readings },
        'readings from before the time was known can not get a time any more: they are lost, counted and told',
      )
    })
  }

  async #lose({ keys, losses }: Victims): Promise<void> {
    const { stored, losses: known, onGone } = this.#ground
    const present = keys.filter((key) => stored.has(key))
    if (present.length === 0) return
    const change = known.add(losses)
    await this.#commit(losses, () => {
      stored.remove(present)
      change.write()
    })
    change.done()
    onGone(losses.reduce((n, l) => n + l.readings, 0))
  }

  /** Deletes and counts in one transaction. */
  async #commit(losses: readonly Loss[], write: () => void): Promise<void> {
    const { commits, meta } = this.#ground.store
    const lost: Lost = {
      readings: this.#lost.readings + losses.reduce((n, l) => n + l.readings, 0),
      from: Math.min(...losses.map((l) => l.from)),
      to: Math.max(...losses.map((l) => l.to)),
    }
    await commits.run(
      () => {
        write()
        void meta.put('lost', lost)
      },
      { kind: 'free' },
    )
    this.#lost = lost
  }

  #whyDrop(now: UnixMs, oldest: number | undefined): LossReason | undefined {
    const { options, young, stored, bytes } = this.#ground
    const { max_bytes, max_age_ms = Number.POSITIVE_INFINITY, clockIsSure = () => true } = options
    if (oldest === undefined || young.has(oldest)) return undefined
    if (bytes() > max_bytes) return 'outbox_full'
    if (max_age_ms === Number.POSITIVE_INFINITY || !clockIsSure()) return undefined
    const times = stored.keysOf(oldest).map((key) => stored.recordAt(key)?.t ?? unixMs(0))
    return Math.max(...times) < now - max_age_ms ? 'too_old' : undefined
  }

  #victims(now: UnixMs): Victims {
    const { oldestFree, stored, options } = this.#ground
    const keys: RecordKey[] = []
    const losses: Loss[] = []
    let from = 0
    for (let n = 0; n < MOST_DROPPED_AT_ONCE; n++) {
      const oldest = oldestFree(from)
      const why = this.#whyDrop(now, oldest)
      if (oldest === undefined || why === undefined) break
      for (const key of stored.keysOf(oldest)) {
        const record = stored.recordAt(key)
        const t = record?.t ?? now
        keys.push(key)
        losses.push({ structure: record?.device ?? null, from: t, to: t, readings: record?.readings.size ?? 1, why })
      }
      if (why === 'outbox_full' && !this.#full) options.log.error('the outbox is full: the oldest readings are dropped, counted and told')
      this.#full ||= why === 'outbox_full'
      from = oldest + 1
    }
    return { keys, losses }
  }
}
