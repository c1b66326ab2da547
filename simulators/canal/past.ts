import type { District } from '#contract/district.ts'
import { openingOfLeaf } from '#contract/metrics.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import { positionAt } from '../gate-leaf.ts'
import type { CanalModel } from './model.ts'

/** In SI units, levels from the structure's gauge datum. */
export type PastReading = { readonly gate: string; readonly metric: string; readonly t: UnixMs; readonly value: number }

const MINUTE_MS = 60_000
export const PAST_STEP_MS = 5 * MINUTE_MS
/** Leaves stand still for hours: their openings are told when they change, and this often, in steps. */
const OPENING_EVERY = 12

/**
 * What the gates of the district showed from `from` to `to`, at five-minute steps, one step at a time. The canals are taken through that time and
 * stand at `to` afterwards, so that their present goes on from this past.
 */
export function* pastOf(
  canals: CanalModel,
  district: District,
  { from, to }: { readonly from: UnixMs; readonly to: UnixMs },
): Generator<PastReading[]> {
  const told = new Map<string, number>()
  for (let n = Math.ceil(from / PAST_STEP_MS); n * PAST_STEP_MS < to; n++) {
    const t = unixMs(n * PAST_STEP_MS)
    const readings: PastReading[] = []
    for (const s of district.structures) {
      const water = canals.water(s.id, t)
      const add = (metric: string, value: number): void => {
        readings.push({ gate: s.id, metric, t, value })
      }
      add('level_up', inMillimetres(s.sill_m + water.up - s.datum_m))
      add('level_down', inMillimetres(s.sill_m + water.down - s.datum_m))
      add('flow', inMillimetres(canals.flow(s.id, t)))
      for (const [i, motion] of canals.motions(s.id, t).entries()) {
        const opening = positionAt(motion, t).opening_mm / 1000
        const metric = openingOfLeaf(i + 1)
        const series = `${s.id} ${metric}`
        if (told.get(series) === opening && n % OPENING_EVERY !== 0) continue
        told.set(series, opening)
        add(metric, opening)
      }
    }
    yield readings
  }
}

/** As the registers of the demo's gate controllers hold them, three decimals. */
const inMillimetres = (value: number): number => Math.round(value * 1000) / 1000
