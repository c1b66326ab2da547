import type { Reading } from '#contract/reading.ts'
import type { UnixMs } from '#contract/units.ts'
import type { GateSignal } from '../live/gates.ts'
import { type Condition, readingNow } from '../situation/condition.ts'
import { type LeafReading, leafReadings } from '../situation/openings.ts'

/** What a drawing shows of one gate at one moment. */
export type GateView = {
  readonly condition: Condition
  readonly up: Reading | undefined
  readonly down: Reading | undefined
  readonly flow: Reading | undefined
  readonly leaves: readonly LeafReading[]
  readonly moving: boolean
}

export function gateView({ gate, state, verdict }: GateSignal, now: UnixMs): GateView {
  const read = (metric: string): Reading | undefined => readingNow(state.value, metric, { now, staleAfterMs: gate.stale_after_ms })
  const moving = read('moving')
  return {
    condition: verdict.value.condition,
    up: read('level_up'),
    down: read('level_down'),
    flow: read('flow'),
    leaves: leafReadings(gate.leaves, read),
    moving: moving?.quality === 'good' && moving.value !== 0,
  }
}

/** The value to reckon with, null when it is unknown or too old to be told as present. */
export const known = (reading: Reading | undefined): number | null => (reading?.quality === 'good' ? reading.value : null)
