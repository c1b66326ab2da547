/** A wave that passes gate after gate: each level is over its limits once, for two minutes. */
export const T0 = Date.parse('2026-06-01T00:00:00Z')
export const STEP_MS = 10_000
export const STEPS = 80
export const GATES = Array.from({ length: 60 }, (_, i) => `wave-${i}`)
const PASSES_STEPS = 12

/** m above the datum. */
export function levelAt(gate: number, step: number, design_m: number): number {
  const begins = 2 + (gate % 50)
  // It trembles, so that no sensor looks frozen.
  const tremble = (step % 3) * 0.001
  return (step >= begins && step < begins + PASSES_STEPS ? design_m + 0.6 : design_m - 0.1) + tremble
}
