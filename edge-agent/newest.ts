import type { Reading } from '#contract/reading.ts'
import type { TimedReading } from '#contract/sparkplug/readings.ts'
import type { UnixMs } from '#contract/units.ts'

/** The newest reading of each metric of each device, as far as this run of the agent knows it. */
export class Newest {
  readonly #devices = new Map<string, Map<string, TimedReading>>()

  put(device: string, t: UnixMs, readings: ReadonlyMap<string, Reading>): void {
    const known = this.#devices.get(device) ?? new Map<string, TimedReading>()
    for (const [name, reading] of readings) known.set(name, { t, reading })
    this.#devices.set(device, known)
  }

  of(device: string): ReadonlyMap<string, TimedReading> {
    return this.#devices.get(device) ?? new Map()
  }
}
