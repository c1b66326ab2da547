import type { Structured } from './network.ts'

/** Of banks above the design level; nothing of them is in the registry. */
export const FREEBOARD_M = 1

export type ProfileInput = { readonly structure: Structured; readonly up: number | null; readonly down: number | null }
export type ProfileGate = {
  readonly id: string
  readonly km: number
  readonly x: number
  readonly sillY: number
  readonly designUpY: number
  readonly designDownY: number
  readonly upY: number | null
  readonly downY: number | null
}
export type Profile = {
  readonly gates: readonly ProfileGate[]
  /** Water between two gates, from the lower side of one to the upper side of the next; only where both are known. */
  readonly water: readonly {
    readonly from: readonly [number, number]
    readonly to: readonly [number, number]
    readonly bed: readonly [number, number]
  }[]
  readonly freeboardPx: number
  readonly yTicks: readonly { readonly y: number; readonly elevation: number }[]
  readonly xTicks: readonly { readonly x: number; readonly km: number }[]
}
export type ProfileBox = { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number }

const STEPS = [0.5, 1, 2, 5, 10, 20, 50, 100] as const

/**
 * Lays out the longitudinal section of one canal. Levels are metres above each structure's datum.
 * @param inputs structures across the canal, by chainage; at least two
 */
export function layOutProfile(inputs: readonly ProfileInput[], box: ProfileBox): Profile {
  const kms = inputs.map((i) => i.structure.chainage_km)
  const [first, last] = [Math.min(...kms), Math.max(...kms)]
  const level = (i: ProfileInput, value: number | null): number | null => (value === null ? null : i.structure.datum_m + value)
  const elevations = inputs.flatMap((i) => [
    i.structure.sill_m,
    i.structure.design_level_up_m + FREEBOARD_M,
    i.structure.design_level_down_m + FREEBOARD_M,
    level(i, i.up) ?? i.structure.sill_m,
    level(i, i.down) ?? i.structure.sill_m,
  ])
  const [low, high] = [Math.min(...elevations) - 0.5, Math.max(...elevations) + 0.3]
  const x = (km: number): number => box.left + ((km - first) / Math.max(1e-6, last - first)) * (box.right - box.left)
  const y = (elevation: number): number => box.bottom - ((elevation - low) / (high - low)) * (box.bottom - box.top)
  const yOrNull = (elevation: number | null): number | null => (elevation === null ? null : y(elevation))
  const gates = inputs.map(
    (i): ProfileGate => ({
      id: i.structure.id,
      km: i.structure.chainage_km,
      x: x(i.structure.chainage_km),
      sillY: y(i.structure.sill_m),
      designUpY: y(i.structure.design_level_up_m),
      designDownY: y(i.structure.design_level_down_m),
      upY: yOrNull(level(i, i.up)),
      downY: yOrNull(level(i, i.down)),
    }),
  )
  const water = gates.slice(1).flatMap((lower, n) => {
    const upper = gates[n]
    if (!upper || upper.downY === null || lower.upY === null) return []
    return [{ from: [upper.x, upper.downY] as const, to: [lower.x, lower.upY] as const, bed: [upper.sillY, lower.sillY] as const }]
  })
  return {
    gates,
    water,
    freeboardPx: y(0) - y(FREEBOARD_M),
    yTicks: ticks(low, high, 7).map((elevation) => ({ y: y(elevation), elevation })),
    xTicks: ticks(first, last, 10).map((km) => ({ x: x(km), km })),
  }
}

function ticks(from: number, to: number, most: number): number[] {
  const step = STEPS.find((s) => (to - from) / s <= most) ?? 200
  const found: number[] = []
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push(at)
  return found
}
