import type { District } from '#contract/district.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import { shiftIntoSeason } from './calendar.ts'
import { CanalModel } from './model.ts'

/** Time in which the pools find their levels before anybody looks, ms: the front of a change crosses the district in about this. */
const SETTLING_MS = 12 * 3_600_000

/** Canals that have run for half a day at `at`; when canals are dry at `now`, with the calendar moved to the height of the last autumn. */
export function openCanals(district: District, { seed, now, at = now }: { seed: number; now: UnixMs; at?: UnixMs }): CanalModel {
  const canals = new CanalModel({ district, seed, start: unixMs(at - SETTLING_MS), calendarShiftMs: shiftIntoSeason(now) })
  canals.advance(at)
  return canals
}
