import type { Failure } from '#contract/command.ts'

/** A leaf on its way, as its encoder shows it. Pure; times by a clock that no one sets, in ms; openings in m. */
export type Way = {
  readonly leaf: number
  readonly from_m: number
  readonly to_m: number
  /** When the controller took the order. */
  readonly startedAt: number
  /** The reading before, and the last that differed from its forerunner by {@link MOVED_M}. */
  readonly seen_m: number
  readonly last_m: number
  /** When it last moved by {@link MOVED_M}. */
  readonly movedAt: number
  readonly hasMoved: boolean
}

export type WatchSettings = { readonly speed_m_per_min: number; readonly no_movement_s: number; readonly stall_s: number }
export type Verdict =
  | { readonly kind: 'moving'; readonly way: Way }
  | { readonly kind: 'arrived' }
  | { readonly kind: 'failed'; readonly reason: Failure }

/** Less than that is the encoder's own unrest. */
export const MOVED_M = 0.003
export const ARRIVED_M = 0.006
const STANDS_M = 0.001
const BACKWARDS_M = 0.01
const OVERSHOOT_M = 0.03
const TIMEOUT_SHARE = 1.5
const TIMEOUT_S = 10

export function beginWay(leaf: number, { from_m, to_m, at }: { from_m: number; to_m: number; at: number }): Way {
  return { leaf, from_m, to_m, startedAt: at, seen_m: from_m, last_m: from_m, movedAt: at, hasMoved: false }
}

/** The longest that a way may take, s. */
export const longestWayS = (distance_m: number, { speed_m_per_min }: Pick<WatchSettings, 'speed_m_per_min'>): number =>
  (Math.abs(distance_m) / speed_m_per_min) * 60 * TIMEOUT_SHARE + TIMEOUT_S

/** Judges a way by a new reading of the encoder. */
export function watch(way: Way, { opening_m, at }: { opening_m: number; at: number }, settings: WatchSettings): Verdict {
  // Arrived is standing there: a leaf that is about to pass, or that creeps the last millimetres, is still moving.
  if (Math.abs(opening_m - way.to_m) <= ARRIVED_M && Math.abs(opening_m - way.seen_m) < STANDS_M) return { kind: 'arrived' }
  const ahead = Math.sign(way.to_m - way.from_m)
  const gone = ahead * (opening_m - way.from_m)
  const passed = (at - way.startedAt) / 1000
  if (gone < -BACKWARDS_M) return { kind: 'failed', reason: 'wrong_direction' }
  if (gone > Math.abs(way.to_m - way.from_m) + OVERSHOOT_M) return { kind: 'failed', reason: 'overshoot' }
  const moved = Math.abs(opening_m - way.last_m) >= MOVED_M
  const next: Way = moved ? { ...way, seen_m: opening_m, last_m: opening_m, movedAt: at, hasMoved: true } : { ...way, seen_m: opening_m }
  if (!next.hasMoved && passed > settings.no_movement_s) return { kind: 'failed', reason: 'no_movement' }
  if (next.hasMoved && (at - next.movedAt) / 1000 > settings.stall_s) return { kind: 'failed', reason: 'stall' }
  if (passed > longestWayS(way.to_m - way.from_m, settings)) return { kind: 'failed', reason: 'timeout' }
  return { kind: 'moving', way: next }
}
