import { leafOfOpening, METRICS, openingOfLeaf } from '#contract/metrics.ts'
import type { GateSignal } from '../live/gates.ts'

/** What can be charted of a gate: what every gate has, and what has come from it, in the catalogue's order. */
export function chartable({ gate, state }: Pick<GateSignal, 'gate' | 'state'>): string[] {
  const leaves = Array.from({ length: gate.leaves }, (_, i) => openingOfLeaf(i + 1))
  const received = Object.keys(state.value?.metrics ?? {})
  const others = METRICS.map((m) => m.name).filter(
    (m) => received.includes(m) && m !== 'flow' && leafOfOpening(m) === undefined && !m.startsWith('level_'),
  )
  return ['level_up', 'level_down', 'flow', ...leaves, ...others]
}
