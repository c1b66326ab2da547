import type { WordOrder } from '#contract/profile.ts'
import type { Point } from './points.ts'

/** The place of the bytes A B C D (A the most significant) within the four that came over the wire. */
const WIRE_ORDER: Record<WordOrder, readonly [number, number, number, number]> = {
  ABCD: [0, 1, 2, 3],
  CDAB: [2, 3, 0, 1],
  BADC: [1, 0, 3, 2],
  DCBA: [3, 2, 1, 0],
}

/**
 * A point's raw words (one or two registers; 0 or 1 from a bit space) as a number in the unit of the metric catalogue.
 * It may be NaN or beyond any range: to judge it is `judge`'s part.
 */
export function decode(words: readonly number[], point: Pick<Point, 'type' | 'bit' | 'order' | 'scale' | 'offset' | 'space'>): number {
  return rawNumber(words, point) * point.scale + point.offset
}

function rawNumber(words: readonly number[], point: Pick<Point, 'type' | 'bit' | 'order' | 'space'>): number {
  const first = words[0] ?? Number.NaN
  switch (point.type) {
    case 'bit':
      return point.space === 'coil' || point.space === 'discrete' ? first : (first >> point.bit) & 1
    case 'uint16':
      return first
    case 'int16':
      return (first << 16) >> 16
    case 'uint32':
      return inOrder(words, point.order).getUint32(0)
    case 'int32':
      return inOrder(words, point.order).getInt32(0)
    case 'float32':
      return inOrder(words, point.order).getFloat32(0)
  }
}

function inOrder(words: readonly number[], order: WordOrder): DataView {
  const wire = new DataView(new ArrayBuffer(4))
  wire.setUint16(0, words[0] ?? 0)
  wire.setUint16(2, words[1] ?? 0)
  const view = new DataView(new ArrayBuffer(4))
  for (const [place, from] of WIRE_ORDER[order].entries()) view.setUint8(place, wire.getUint8(from))
  return view
}
