import type { WordOrder } from '#contract/profile.ts'
import { isBitSpace } from '#contract/profile.ts'
import type { Point } from './points.ts'

/** What of a point says how its words are a number. */
export type Encoded = Pick<Point, 'type' | 'bit' | 'bits' | 'order' | 'space'>

const view = new DataView(new ArrayBuffer(8))
const SIGN = 0x8000

/**
 * A point's words (registers in the order of their addresses; 0 or 1 from a bit space) as the raw number, before any scale.
 * NaN for what is no number: BCD with a digit above 9, a float that is none.
 */
export function rawNumber(words: readonly number[], { type, bit, bits, order, space }: Encoded): number {
  const first = words[0] ?? Number.NaN
  switch (type) {
    case 'bit':
      return isBitSpace(space) ? first : (first >> bit) & 1
    case 'bits':
      return (first >> bit) & (2 ** bits - 1)
    case 'uint16':
      return word(first, order)
    case 'int16':
      return (word(first, order) << 16) >> 16
    case 'sign_magnitude16': {
      const value = word(first, order)
      return value & SIGN ? -(value & ~SIGN) : value
    }
    case 'bcd16':
      return digits(word(first, order), 4)
    case 'bcd32':
      return digits(arrange(words, order).getUint32(0), 8)
    case 'uint32':
      return arrange(words, order).getUint32(0)
    case 'int32':
      return arrange(words, order).getInt32(0)
    case 'float32':
      return arrange(words, order).getFloat32(0)
    case 'uint64':
      return Number(arrange(words, order).getBigUint64(0))
    case 'int64':
      return Number(arrange(words, order).getBigInt64(0))
    case 'float64':
      return arrange(words, order).getFloat64(0)
    case 'long_float':
      return arrange(words.slice(0, 2), order).getInt32(0) + arrange(words.slice(2, 4), order).getFloat32(0)
  }
}

const swapsBytes = (order: WordOrder): boolean => order === 'BADC' || order === 'DCBA'
const word = (value: number, order: WordOrder): number => (swapsBytes(order) ? ((value & 0xff) << 8) | (value >> 8) : value)

/** The words in the order of most significant first. The view is reused: read it at once. */
function arrange(words: readonly number[], order: WordOrder): DataView {
  const lowWordFirst = order === 'CDAB' || order === 'DCBA'
  for (let i = 0; i < words.length; i++) view.setUint16(2 * i, words[lowWordFirst ? words.length - 1 - i : i] ?? 0, swapsBytes(order))
  return view
}

function digits(value: number, count: number): number {
  let sum = 0
  for (let i = count - 1; i >= 0; i--) {
    const digit = Math.floor(value / 16 ** i) % 16
    if (digit > 9) return Number.NaN
    sum = sum * 10 + digit
  }
  return sum
}
