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

/** What lies in a canal that was built without: silt on its bed, ice on its water, m. */
export type CanalBed = { readonly silt_m: number; readonly ice_m: number }
export const CLEAN: CanalBed = { silt_m: 0, ice_m: 0 }

/** Under ice as rough as the bed the hydraulic radius of a wide channel is half its depth: by Manning the same flow stands 2^(2/5) as deep. */
const UNDER_ICE = 2 ** 0.4
/** Of floating ice, so much is under water. */
export const ICE_TO_WATER = 0.917

/**
 * Normal depth goes with the flow's 0.6th power in a wide channel (Manning).
 * @returns how far from the design depth it is, m: below 0 for less than the design flow in a clean canal.
 */
export function normalDepthShift(designDepthM: number, flowShare: number, { silt_m, ice_m }: CanalBed = CLEAN): number {
  const open = designDepthM * Math.max(0, flowShare) ** 0.6
  const depth = ice_m > 0 ? UNDER_ICE * open + ICE_TO_WATER * ice_m : open
  return silt_m + depth - designDepthM
}
