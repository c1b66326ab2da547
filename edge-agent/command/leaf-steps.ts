/** One leaf's way, m. Leaves count from 0. */
export type LeafStep = { readonly leaf: number; readonly to_m: number }

const MOST_STEPS = 200

/** Middle first, then alternating outwards, so that the flow stays symmetric (domain practice for several bays). */
export function middleFirst(leaves: number): number[] {
  const middle = (leaves - 1) / 2
  return Array.from({ length: leaves }, (_, i) => i).sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle) || a - b)
}

const spread = (openings: readonly number[]): number => Math.max(...openings) - Math.min(...openings)

/**
 * The ways of the leaves, one after the other, so that no two ever stand further apart than allowed, or than they did at the start.
 * @returns null when the targets themselves are further apart.
 */
export function planLeafSteps(
  openings: readonly number[],
  targets: readonly number[],
  {
    maxDifference,
    leastMove,
    order = middleFirst(openings.length),
  }: { maxDifference: number; leastMove: number; order?: readonly number[] },
): LeafStep[] | null {
  const now = [...openings]
  const wanted = targets.map((t, i) => (Math.abs(t - (now[i] ?? t)) < leastMove ? (now[i] ?? t) : t))
  if (spread(wanted) > Math.max(maxDifference, spread(now)) + 1e-9) return null
  const steps: LeafStep[] = []
  for (let progress = true; progress && steps.length < MOST_STEPS; ) {
    progress = false
    for (const leaf of order) {
      const [at, target] = [now[leaf] ?? 0, wanted[leaf] ?? 0]
      if (at === target) continue
      const to = nearestAllowed(now, { leaf, target, apart: Math.max(maxDifference, spread(now)) })
      if (to !== target && Math.abs(to - at) < leastMove) continue
      now[leaf] = to
      steps.push({ leaf, to_m: to })
      progress = true
    }
  }
  return now.every((n, i) => n === wanted[i]) ? steps : null
}

/** As near to the target as the other leaves allow, never backwards. */
function nearestAllowed(now: readonly number[], { leaf, target, apart }: { leaf: number; target: number; apart: number }): number {
  const at = now[leaf] ?? 0
  const others = now.filter((_, i) => i !== leaf)
  if (others.length === 0) return target
  return target > at
    ? Math.max(at, Math.min(target, Math.min(...others) + apart))
    : Math.min(at, Math.max(target, Math.max(...others) - apart))
}
