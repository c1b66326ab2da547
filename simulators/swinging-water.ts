import type { Structure } from '#contract/district.ts'
import type { UnixMs } from '#contract/units.ts'
import { designWater, type Water } from './canal/hydrostatics.ts'
import { swing, unit } from './noise.ts'

/** The water at a structure as it would be seen, not computed from the canal: levels swing about their design and are never coupled. */

const MINUTE = 60_000
/** Swings of the upstream level: a tide of the day's deliveries, upstream gate moves, wind on the pool. Shares add up to 1. */
const SWINGS = [
  { period_ms: 7.3 * 60 * MINUTE, share: 0.55 },
  { period_ms: 47 * MINUTE, share: 0.3 },
  { period_ms: 6.1 * MINUTE, share: 0.15 },
]
const UP_SWING_OF_DEPTH = 0.04
const DOWN_SWING_OF_FALL = 0.2
const RIPPLE_M = 0.0015
/** @returns the depths at time `t`: the same for the same seed, structure and time. The upstream one is always the higher. */
export function waterAt(s: Structure, seed: number, t: UnixMs): Water {
  const design = designWater(s)
  const fall = design.up - design.down
  const up = UP_SWING_OF_DEPTH * design.up * swings(s.id, seed, t, 'up')
  const down = up + DOWN_SWING_OF_FALL * fall * swings(s.id, seed, t, 'down')
  const second = Math.floor(t / 1000)
  const ripple = Math.min(RIPPLE_M, fall / 20)
  return {
    up: design.up + up + ripple * swing(seed, s.id, 'ripple up', second),
    down: design.down + down + ripple * swing(seed, s.id, 'ripple down', second),
  }
}

function swings(id: string, seed: number, t: number, side: string): number {
  return SWINGS.reduce((sum, { period_ms, share }, i) => {
    // Each structure has periods of its own, or all would be in step again after some days.
    const period = period_ms * (1 + 0.2 * swing(seed, id, side, 'period', i))
    return sum + share * Math.sin(2 * Math.PI * (t / period + unit(seed, id, side, 'phase', i)))
  }, 0)
}
