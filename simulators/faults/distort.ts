import { assertNever } from '#contract/fault.ts'
import { leafOfOpening, openingOfLeaf } from '#contract/metrics.ts'
import type { DeviceProfile, ProfilePoint, WordOrder } from '#contract/profile.ts'
import type { UnixMs } from '#contract/units.ts'
import { ofKind, type PlannedFault } from '../faults.ts'
import type { RtuState } from '../register-map.ts'

/** Faults of the values: the frame is right, what it says is not. Pure. */

/** What the device shows with these faults. @param stateAt what it would show without any, at another time. */
export function distortState(state: RtuState, faults: readonly PlannedFault[], stateAt: (t: UnixMs) => RtuState): RtuState {
  return ofKind(faults, 'frozen', 'spike', 'unit_change').reduce((shown, { order, from }) => {
    switch (order.kind) {
      case 'frozen': {
        const { metric } = order
        const then = stateAt(from)
        return metric === undefined ? then : withMetric(shown, metric, () => metricIn(then, metric))
      }
      case 'spike':
        return withMetric(shown, order.metric, (value) => value + order.by)
      case 'unit_change':
        return withMetric(shown, order.metric, (value) => value * order.factor)
      default:
        return assertNever(order)
    }
  }, state)
}

const SWAPPED: Record<WordOrder, WordOrder> = { ABCD: 'CDAB', CDAB: 'ABCD', BADC: 'DCBA', DCBA: 'BADC' }

/** The profile by which the device answers with these faults. */
export function distortProfile(profile: DeviceProfile, faults: readonly PlannedFault[]): DeviceProfile {
  const swaps = ofKind(faults, 'swapped_words').map((f) => f.order.metric)
  if (swaps.length === 0) return profile
  // The profile names every leaf's opening as that of the first.
  const struck = swaps.map((metric) => (metric !== undefined && leafOfOpening(metric) !== undefined ? openingOfLeaf(1) : metric))
  const served = (p: ProfilePoint): ProfilePoint =>
    struck.includes(undefined) || struck.includes(p.metric) ? { ...p, order: SWAPPED[p.order] } : p
  const { leaf } = profile
  return { ...profile, points: profile.points.map(served), ...(leaf && { leaf: { ...leaf, points: leaf.points.map(served) } }) }
}

function metricIn(state: RtuState, metric: string): number {
  const leaf = leafOfOpening(metric)
  const values = leaf === undefined ? state.values : state.leaves[leaf - 1]?.values
  return values?.[leaf === undefined ? metric : openingOfLeaf(1)] ?? Number.NaN
}

function withMetric(state: RtuState, metric: string, change: (value: number) => number): RtuState {
  const value = change(metricIn(state, metric))
  const leaf = leafOfOpening(metric)
  if (leaf === undefined) return { ...state, values: { ...state.values, [metric]: value } }
  const leaves = state.leaves.map((l, i) => (i === leaf - 1 ? { ...l, values: { ...l.values, [openingOfLeaf(1)]: value } } : l))
  return { ...state, leaves }
}
