import type { WordOrder } from '#contract/profile.ts'
import { type BadReason, bad, type Reading } from '#contract/reading.ts'
import { rawNumber } from './decode.ts'
import { judge } from './judge.ts'
import type { Condition, Point, Span, UnitRegister } from './points.ts'

/** What the device was found to hold there, or why that is not known. */
export type Look = (span: Span) => readonly number[] | BadReason

/** The reading of a point, from what was read of the device. @param order overrides the point's where the device says how it sends. */
export function evaluate(point: Point, look: Look, order: WordOrder | null): Reading {
  const words = look(point)
  if (typeof words === 'string') return bad(words)
  for (const condition of point.conditions) {
    const reason = violated(condition, look)
    if (reason !== null) return bad(reason)
  }
  const raw = rawNumber(words, order !== null && point.words > 1 ? { ...point, order } : point)
  if (point.missing.includes(raw)) return bad('no_value')
  let value = raw * point.scale + point.offset
  for (const unit of point.units) {
    const factor = unitOf(unit, look)
    if (typeof factor === 'string') return bad(factor)
    value = value * factor.times + factor.plus
  }
  if (point.calibration) value = calibrated(value, point.calibration)
  if (point.range && (value < point.range[0] || value > point.range[1])) return bad('out_of_range')
  return judge(point.metric, value)
}

function violated({ bit, is, otherwise, ...span }: Condition, look: Look): BadReason | null {
  const words = look(span)
  if (typeof words === 'string') return words
  const held = words[0] ?? Number.NaN
  return (bit === null ? held : (held >> bit) & 1) === is ? null : otherwise
}

function unitOf(unit: UnitRegister, look: Look): { times: number; plus: number } | BadReason {
  const words = look(unit)
  if (typeof words === 'string') return words
  const code = String(words[0])
  const times = unit.factors[code]
  return times === undefined ? 'sensor_fault' : { times, plus: unit.offsets[code] ?? 0 }
}

/** The straight line through both pairs. */
function calibrated(shown: number, [[shown1, real1], [shown2, real2]]: NonNullable<Point['calibration']>): number {
  return real1 + ((shown - shown1) * (real2 - real1)) / (shown2 - shown1)
}
