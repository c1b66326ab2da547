import { metricOf } from '#contract/metrics.ts'
import { type DeviceProfile, isBitSpace, registersOf, type WordType } from '#contract/profile.ts'
import { type Point, pointsOf } from '../modbus/points.ts'

/** What in a register map is allowed and all the same most likely a slip. Pure. */

/** @returns each suspicion in a sentence. */
export function suspicionsOfProfile(profile: DeviceProfile): string[] {
  // Two leaves show a stride that is too short.
  const points = pointsOf(profile, { leaves: profile.leaf ? 2 : 1 })
  return [...overlapsIn(points), ...points.flatMap(scaleOf)]
}

function overlapsIn(points: readonly Point[]): string[] {
  const sorted = points.filter((p) => p.type !== 'bit' && p.type !== 'bits').toSorted((a, b) => a.address - b.address)
  return sorted.flatMap((p, i) => {
    const next = sorted.slice(i + 1).find((q) => q.space === p.space && q.address < p.address + p.words)
    if (!next) return []
    const registers =
      next.address === p.address ? `register ${p.address}` : `registers ${p.address} to ${p.address + p.words - 1} and ${next.address}`
    return [`${p.metric} and ${next.metric} overlap (${registers}): one of the two addresses is most likely wrong`]
  })
}

/** The widest raw number of a type, or undefined for a float, whose steps say nothing. */
function widest(type: WordType): number | undefined {
  if (type === 'bit' || type === 'bits' || type.includes('float')) return undefined
  if (type.startsWith('bcd')) return 10 ** (4 * registersOf(type))
  return type.startsWith('uint') ? 2 ** (16 * registersOf(type)) : 2 ** (16 * registersOf(type) - 1)
}

/** Steps of a register that are coarser than this many deadbands are not a measurement. */
const COARSE = 20

function scaleOf(p: Point): string[] {
  const metric = metricOf(p.metric)
  // A unit register says the step, not the map.
  if (!metric || isBitSpace(p.space) || p.units.length > 0) return []
  if (p.scale === 0) return [`${p.metric} has scale 0: it would always read ${p.offset}`]
  const most = widest(p.type)
  // What has no unit is a code or a bit field; a signal strength's whole steps are fine.
  if (most === undefined || metric.unit === '' || metric.datatype !== 'Float') return []
  const step = Math.abs(p.scale)
  const reach = most * step
  const shown = (n: number): string => `${Number(n.toPrecision(3))} ${metric.unit}`
  if (step > COARSE * metric.deadband) return [`${p.metric}: one step of its ${p.type} is ${shown(step)}; is the scale 0.001 or 0.01?`]
  if (reach < COARSE * metric.deadband) return [`${p.metric}: its ${p.type} with scale ${p.scale} never shows more than ${shown(reach)}`]
  return []
}
