import { cubicMetresPerSecond, metres } from '#contract/units.ts'
import { type Channel, manningDischarge } from '#hydraulics/manning.ts'
import { reachTravel } from '#hydraulics/reach-travel.ts'
import type { Structured } from './network.ts'

/** Earth canals of the district, domain estimates: nothing of a canal's section is in the registry. */
const SIDE_SLOPE = 2
const ROUGHNESS = 0.0225
const LEAST_SLOPE = 2e-5
const WIDEST_M = 300

/**
 * A section that carries the design flow at the design depth on the slope of the sills. An estimate, good for travel times to the hour.
 * @param inLine structures across one canal, by chainage
 * @returns null with fewer than two structures, or when no bed width fits
 */
export function estimateChannel(inLine: readonly Structured[]): Channel | null {
  const [first, last] = [inLine[0], inLine.at(-1)]
  if (!first || !last || last.chainage_km <= first.chainage_km) return null
  const slope = Math.max(LEAST_SLOPE, (first.sill_m - last.sill_m) / ((last.chainage_km - first.chainage_km) * 1000))
  // The canal is as deep as the water that the next gate stands in, not as what spills over the head's own sill.
  const next = inLine[1] ?? last
  const depth = metres(Math.max(0.3, next.design_level_up_m - next.sill_m))
  const channelOf = (width: number): Channel => ({ bedWidth: metres(width), sideSlope: SIDE_SLOPE, slope, roughness: ROUGHNESS })
  const carried = (width: number): number => {
    const result = manningDischarge(channelOf(width), depth)
    return result.quality === 'good' ? result.flow : 0
  }
  if (carried(WIDEST_M) < first.design_flow_m3s) return null
  let [narrow, wide] = [0.2, WIDEST_M]
  for (let i = 0; i < 40; i++) {
    const middle = (narrow + wide) / 2
    if (carried(middle) < first.design_flow_m3s) narrow = middle
    else wide = middle
  }
  return channelOf(wide)
}

export type TravelTick = { readonly km: number; readonly hours: number }
export type CanalTravel = {
  readonly ticks: readonly TravelTick[]
  /** From the head to the last structure, hours: the front of a change, and until it is established. */
  readonly frontHours: number
  readonly establishedHours: number
}

const STEPS_H = [0.5, 1, 2, 3, 6, 12, 24] as const
const MOST_TICKS = 9
const HOUR_MS = 3_600_000

/**
 * When a change at the head is established along a canal, at the discharges measured now: each reach carries what its upper structure passes.
 * @param flowOf m³/s through a structure, null when it is not known
 * @returns null where a reach's flow is unknown or it is dry
 */
export function canalTravel(inLine: readonly Structured[], flowOf: (id: string) => number | null): CanalTravel | null {
  const channel = estimateChannel(inLine)
  if (!channel) return null
  const reached = [{ km: inLine[0]?.chainage_km ?? 0, hours: 0 }]
  let front = 0
  for (const [i, upper] of inLine.entries()) {
    const lower = inLine[i + 1]
    const length = lower ? lower.chainage_km - upper.chainage_km : 0
    if (!lower || length <= 0) continue
    const flow = flowOf(upper.id)
    const travel = flow === null ? null : reachTravel(channel, { length: metres(length * 1000), flow: cubicMetresPerSecond(flow) })
    if (!travel) return null
    front += travel.front / HOUR_MS
    reached.push({ km: lower.chainage_km, hours: (reached.at(-1)?.hours ?? 0) + travel.established / HOUR_MS })
  }
  const total = reached.at(-1)?.hours ?? 0
  const step = STEPS_H.find((s) => total / s <= MOST_TICKS) ?? STEPS_H[STEPS_H.length - 1] ?? 24
  const ticks: TravelTick[] = []
  for (let hours = step; hours <= total; hours += step) ticks.push({ km: kmAt(reached, hours), hours })
  return { ticks, frontHours: front, establishedHours: total }
}

function kmAt(reached: readonly TravelTick[], hours: number): number {
  const next = reached.findIndex((r) => r.hours >= hours)
  const [a, b] = [reached[next - 1], reached[next]]
  if (!a || !b || b.hours === a.hours) return b?.km ?? 0
  return a.km + ((hours - a.hours) / (b.hours - a.hours)) * (b.km - a.km)
}

/** The structures that stand across a canal and so divide it in reaches. */
export const acrossCanal = <S extends Structured>(structures: readonly S[]): S[] =>
  structures.filter((s) => s.type === 'head' || s.type === 'regulator' || s.type === 'tail')
