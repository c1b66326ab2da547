import { assertNever } from '#contract/fault.ts'
import { leafOfOpening, openingOfLeaf } from '#contract/metrics.ts'
import type { DeviceProfile, ProfilePoint, WordOrder } from '#contract/profile.ts'
import type { UnixMs } from '#contract/units.ts'
import { ICE_TO_WATER } from '../canal/hydrostatics.ts'
import { ofKind, type PlannedFault } from '../faults.ts'
import { swing } from '../noise.ts'
import type { RtuState } from '../register-map.ts'
import type { FaultKind } from './order.ts'
import type { StillingWells } from './stilling-well.ts'

/** Faults of the values: the frame is right, what it says is not. */

const OF_STATE = ['frozen', 'spike', 'unit_change', 'noise', 'drift', 'silted_well', 'iced_gate'] as const
export const DISTORTING: readonly FaultKind[] = [...OF_STATE, 'swapped_words']
const DAY_MS = 86_400_000

export type Shown = {
  readonly t: UnixMs
  /** Without any fault, at this or another time. */
  stateAt(t: UnixMs): RtuState
  readonly wells: StillingWells
  /** Names the device. */
  readonly device: string
}

/** What the device shows with these faults. */
export function distortState(faults: readonly PlannedFault[], { t, stateAt, wells, device }: Shown): RtuState {
  return ofKind(faults, ...OF_STATE).reduce((shown, { id, order, from }) => {
    switch (order.kind) {
      case 'noise':
        return withMetric(shown, order.metric, (value) => value + order.by * swing(0, id, device, order.metric, t))
      case 'drift':
        return withMetric(shown, order.metric, (value) => value + (order.per_day * (t - from)) / DAY_MS)
      case 'silted_well': {
        const { metric, time_constant_s } = order
        const first = { t: from, level: metricIn(stateAt(from), metric) }
        return withMetric(shown, metric, (water) => wells.follow(`${id} ${device}`, { t, water, time_constant_s, first }))
      }
      case 'iced_gate':
        return onIce(shown, order.thickness_m)
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
  }, stateAt(t))
}

/** A radar or a sounder sees the ice and not the water, and nothing on it moves. */
function onIce(state: RtuState, thickness_m: number): RtuState {
  const above = thickness_m * (1 - ICE_TO_WATER)
  const seen = Object.entries(state.values).map(([metric, value]): [string, number] => {
    if (metric === 'velocity') return [metric, 0]
    return [metric, metric.startsWith('level_') ? value + above : value]
  })
  return { ...state, values: Object.fromEntries(seen) }
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
