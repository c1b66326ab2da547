import type { Structure } from '#contract/district.ts'

/** Depths at a structure, m above its sill. */
export type Water = { readonly up: number; readonly down: number }

/** A fall below that would leave nothing to simulate. */
const LEAST_FALL_M = 0.05

/** @returns the design depths of a structure, with at least a small fall. */
export function designWater(s: Structure): Water {
  const up = s.design_level_up_m - s.sill_m
  return { up, down: Math.min(s.design_level_down_m - s.sill_m, up - LEAST_FALL_M) }
}

/** Normal depth goes with the flow's 0.6th power in a wide channel (Manning). @returns how far below the design depth it is, m (≤ 0). */
export const normalDepthShift = (designDepthM: number, flowShare: number): number => designDepthM * (Math.max(0, flowShare) ** 0.6 - 1)
