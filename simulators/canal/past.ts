import type { District } from '#contract/district.ts'
import { openingOfLeaf } from '#contract/metrics.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import { openingAt } from '../gate-leaf.ts'
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
  const gates = district.structures.map((structure) => ({
    structure,
    metrics: Array.from({ length: structure.leaves }, (_, i) => openingOfLeaf(i + 1)),
    told: [] as number[],
  }))
  for (let n = Math.ceil(from / PAST_STEP_MS); n * PAST_STEP_MS < to; n++) {
    const t = unixMs(n * PAST_STEP_MS)
    const readings: PastReading[] = []
    for (const { structure: s, metrics, told } of gates) {
      const gate = s.id
      const water = canals.water(gate, t)
      readings.push({ gate, metric: 'level_up', t, value: inMillimetres(s.sill_m + water.up - s.datum_m) })
      readings.push({ gate, metric: 'level_down', t, value: inMillimetres(s.sill_m + water.down - s.datum_m) })
      readings.push({ gate, metric: 'flow', t, value: inMillimetres(canals.flow(gate, t)) })
      const motions = canals.motions(gate, t)
      for (const [i, metric] of metrics.entries()) {
        const motion = motions[i]
        if (!motion) continue
        const value = openingAt(motion, t) / 1000
        if (told[i] === value && n % OPENING_EVERY !== 0) continue
        told[i] = value
        readings.push({ gate, metric, t, value })
      }
    }
    yield readings
  }
}

/** As the registers of the demo's gate controllers hold them, three decimals. */
const inMillimetres = (value: number): number => Math.round(value * 1000) / 1000
