import { batchId } from '#contract/batch.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Aliases } from './aliases.ts'
import type { Batch, Sampled } from './batches.ts'
import { decodeRecord, type OutboxRecord } from './record.ts'
import type { Store } from './store.ts'

export type RecordKey = [counter: number, n: number]
/** What the disk gives back of a batch. `damaged`: records whose checksum does not hold. */
export type Found = { readonly device: string | undefined; readonly samples: readonly Sampled[]; readonly damaged: RecordKey[] }

/** The batches that lie on the disk, by their counters. It decides nothing: what goes, and when, is the outbox's. */
export class StoredBatches {
  readonly #records: Store['records']
  readonly #aliases: Aliases

  constructor(records: Store['records'], aliases: Aliases) {
    this.#records = records
    this.#aliases = aliases
  }

  /** The first counter from this one on that has records. */
  oldestFrom(counter: number): number | undefined {
    const [key] = this.#records.getKeys({ start: [counter, 0], limit: 1 })
    return key?.[0]
  }

  /** The time of the oldest record; null where there is none, or it is damaged. */
  oldestTime(): UnixMs | null {
    const [key] = this.#records.getKeys({ limit: 1 })
    return (key && this.recordAt(key)?.t) ?? null
  }

  keysOf(counter: number): RecordKey[] {
    return [...this.#records.getKeys({ start: [counter, 0], end: [counter + 1, 0] })]
  }

  has(key: RecordKey): boolean {
    return this.#records.get(key) !== undefined
  }

  /** Undefined where there is none, or it is damaged. */
  recordAt(key: RecordKey): OutboxRecord | undefined {
    const bytes = this.#records.get(key)
    return bytes && decodeRecord(bytes)
  }

  find(counter: number): Found {
    const samples: Sampled[] = []
    const damaged: RecordKey[] = []
    let device: string | undefined
    for (const { key, value } of this.#records.getRange({ start: [counter, 0], end: [counter + 1, 0] })) {
      const record = decodeRecord(value)
      if (record) {
        device = record.device
        samples.push({ t: record.t, readings: this.#aliases.toNames(record.readings) })
      } else damaged.push(key)
    }
    return { device, samples, damaged }
  }

  /** To be called within a transaction. */
  remove(keys: readonly RecordKey[]): void {
    for (const key of keys) void this.#records.remove(key)
  }
}

export const batchOf = ({ device, samples }: Found, epoch: number, counter: number): Batch | undefined =>
  device === undefined ? undefined : { id: batchId(epoch, counter), device, samples }
