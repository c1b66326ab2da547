import { openingOfLeaf } from '#contract/metrics.ts'
import type { TimedReading } from '#contract/sparkplug/readings.ts'

/** What the gauges of a structure say at one moment, as far as it may be relied on. */
export type Measured =
  | { readonly kind: 'good'; readonly value: number; readonly t: number }
  | { readonly kind: 'stale' }
  | { readonly kind: 'bad' }

export type Plant = {
  /** 0 is the hand switch on local. */
  readonly mode: Measured
  readonly fault: Measured
  /** Of each leaf, m. */
  readonly openings: readonly Measured[]
  /** m above the datum. */
  readonly level_up: Measured
  readonly level_down: Measured
  /** m³/s */
  readonly flow: Measured
}

export function plantOf(
  newest: ReadonlyMap<string, TimedReading>,
  { leaves, now, staleAfterMs }: { leaves: number; now: number; staleAfterMs: number },
): Plant {
  const read = (metric: string): Measured => {
    const timed = newest.get(metric)
    if (!timed || timed.reading.quality === 'bad') return { kind: 'bad' }
    // After a step of the clock a reading may seem to come from the future: it is no fresher than one from the past.
    if (timed.reading.quality === 'stale' || Math.abs(now - timed.t) > staleAfterMs) return { kind: 'stale' }
    return { kind: 'good', value: timed.reading.value, t: timed.t }
  }
  return {
    mode: read('mode'),
    fault: read('fault'),
    openings: Array.from({ length: leaves }, (_, i) => read(openingOfLeaf(i + 1))),
    level_up: read('level_up'),
    level_down: read('level_down'),
    flow: read('flow'),
  }
}

export const goodValue = (m: Measured): number | null => (m.kind === 'good' ? m.value : null)
