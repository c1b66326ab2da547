import type { BatchId } from '#contract/batch.ts'
import type { Reading } from '#contract/reading.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Sampled } from '../outbox/outbox.ts'

/** Readings that have just been kept; `batch` is null where the disk did not take them. */
export type Offer = Sampled & { readonly batch: BatchId | null }

type Held = { readonly t: UnixMs; readonly reading: Reading; readonly batch: BatchId | null }

/** The newest reading of each metric that may have to be shown ahead of its batch. */
export class Offers {
  readonly #devices = new Map<string, Map<string, Held>>()

  add(device: string, { t, readings, batch }: Offer): void {
    const held = this.#devices.get(device) ?? new Map<string, Held>()
    for (const [metric, reading] of readings) held.set(metric, { t, reading, batch })
    this.#devices.set(device, held)
  }

  /** @returns the readings of each device whose batch is late, in the order of time, and forgets all. */
  takeLate(isLate: (batch: BatchId | null) => boolean): Map<string, Sampled[]> {
    const late = new Map<string, Sampled[]>()
    for (const [device, held] of this.#devices) {
      const byTime = new Map<UnixMs, Map<string, Reading>>()
      for (const [metric, { t, reading, batch }] of held) {
        if (!isLate(batch)) continue
        const readings = byTime.get(t) ?? new Map<string, Reading>()
        byTime.set(t, readings.set(metric, reading))
      }
      const samples = [...byTime].sort(([a], [b]) => a - b).map(([t, readings]) => ({ t, readings }))
      if (samples.length > 0) late.set(device, samples)
    }
    this.#devices.clear()
    return late
  }
}
