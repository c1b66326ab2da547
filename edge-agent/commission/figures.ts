import type { BadReason, Reading } from '#contract/reading.ts'
import type { UnixMs } from '#contract/units.ts'

/** How the devices and buses of a running agent fare: what `sluice edge status` and the agent's page show. */

export type DeviceFigures = {
  readonly structure: string
  readonly unit: number
  readonly bus: string
  /** Since the start: reads in which every metric was GOOD, and the others. */
  readonly reads_good: number
  readonly reads_bad: number
  /** Since the start: BAD readings by reason. */
  readonly errors: Readonly<Partial<Record<BadReason, number>>>
  readonly last_t: UnixMs | null
  readonly last_good_t: UnixMs | null
  readonly took_ms: number | null
  readonly readings: Readonly<Record<string, Reading>>
}
export type BusFigures = {
  readonly name: string
  /** Since a device of the bus was last read, well or badly, in ms of a clock that no one sets; since the start before that. */
  readonly read_ago_ms: number
  /** Of one cycle over all devices of the bus, in ms. */
  readonly cycle_ms: number | null
  readonly longest_cycle_ms: number | null
  readonly requests: number
  readonly timeouts: number
  readonly bad_replies: number
  readonly foreign_frames: number
}

type Known = { -readonly [K in Exclude<keyof DeviceFigures, 'readings' | 'errors'>]: DeviceFigures[K] } & {
  readonly errors: Partial<Record<BadReason, number>>
  readings: ReadonlyMap<string, Reading>
}

const keyOf = (structure: string, unit: number): string => `${structure} ${unit}`

export class Figures {
  readonly #devices = new Map<string, Known>()
  readonly #cycles = new Map<string, { last: number; longest: number }>()
  readonly #readAt = new Map<string, number>()
  readonly #started = performance.now()

  constructor(devices: readonly { readonly structure: string; readonly unit: number; readonly bus: string }[]) {
    for (const { structure, unit, bus } of devices) {
      const none = { reads_good: 0, reads_bad: 0, last_t: null, last_good_t: null, took_ms: null, readings: new Map() }
      this.#devices.set(keyOf(structure, unit), { structure, unit, bus, ...none, errors: {} })
    }
  }

  read(
    { structure, unit }: { readonly structure: string; readonly unit: number },
    { t, took_ms, readings }: { t: UnixMs; took_ms: number; readings: ReadonlyMap<string, Reading> },
  ): void {
    const known = this.#devices.get(keyOf(structure, unit))
    if (!known) return
    this.#readAt.set(known.bus, performance.now())
    let isGood = true
    for (const r of readings.values()) {
      if (r.quality === 'good') continue
      isGood = false
      if (r.quality === 'bad') known.errors[r.reason] = (known.errors[r.reason] ?? 0) + 1
    }
    if (isGood) {
      known.reads_good += 1
      known.last_good_t = t
    } else known.reads_bad += 1
    known.last_t = t
    known.took_ms = Math.round(took_ms)
    known.readings = readings
  }

  cycle(bus: string, took_ms: number): void {
    const longest = Math.max(took_ms, this.#cycles.get(bus)?.longest ?? 0)
    this.#cycles.set(bus, { last: took_ms, longest })
  }

  devices(): DeviceFigures[] {
    return [...this.#devices.values()].map((d) => ({ ...d, errors: { ...d.errors }, readings: Object.fromEntries(d.readings) }))
  }

  bus(name: string, stats: Omit<BusFigures, 'name' | 'cycle_ms' | 'longest_cycle_ms' | 'read_ago_ms'>): BusFigures {
    const cycle = this.#cycles.get(name)
    const read_ago_ms = Math.round(performance.now() - (this.#readAt.get(name) ?? this.#started))
    return {
      name,
      read_ago_ms,
      cycle_ms: cycle ? Math.round(cycle.last) : null,
      longest_cycle_ms: cycle ? Math.round(cycle.longest) : null,
      ...stats,
    }
  }
}
