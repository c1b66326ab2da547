import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WORD_ORDERS, type WordOrder } from '#contract/profile.ts'
import { bad, good } from '#contract/reading.ts'
import { decode } from './decode.ts'
import { judge } from './judge.ts'

const as = (type: 'bit' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'float32', order: WordOrder = 'ABCD') => ({
  type,
  order,
  bit: 0,
  scale: 1,
  offset: 0,
  space: 'holding' as const,
})

test('1052.37 m is read from each of the four word orders', () => {
  // The same number as four gateways send it: 44838BD7 in their order of bytes.
  const wire: Record<WordOrder, [number, number]> = {
    ABCD: [0x4483, 0x8bd7],
    CDAB: [0x8bd7, 0x4483],
    BADC: [0x8344, 0xd78b],
    DCBA: [0xd78b, 0x8344],
  }
  for (const order of WORD_ORDERS) expect(decode(wire[order], as('float32', order))).toBeCloseTo(1052.37, 3)
})

const BYTES: Record<WordOrder, readonly number[]> = { ABCD: [0, 1, 2, 3], CDAB: [2, 3, 0, 1], BADC: [1, 0, 3, 2], DCBA: [3, 2, 1, 0] }
function toWire(write: (view: DataView) => void, order: WordOrder): number[] {
  const value = new DataView(new ArrayBuffer(4))
  write(value)
  const wire = new DataView(new ArrayBuffer(4))
  for (const [at, from] of BYTES[order].entries()) wire.setUint8(at, value.getUint8(from))
  return [wire.getUint16(0), wire.getUint16(2)]
}

test('any 32-bit value in any word order is read as it was written', () => {
  fc.assert(
    fc.property(fc.constantFrom(...WORD_ORDERS), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (order, n) => {
      const words = toWire((v) => v.setInt32(0, n), order)
      expect(decode(words, as('int32', order))).toBe(n)
      expect(decode(words, as('uint32', order))).toBe(n >>> 0)
    }),
  )
  fc.assert(
    fc.property(fc.constantFrom(...WORD_ORDERS), fc.float({ noNaN: true }), (order, f) => {
      expect(
        decode(
          toWire((v) => v.setFloat32(0, f), order),
          as('float32', order),
        ),
      ).toBe(f + 0)
    }),
  )
})

test('a register is signed or not, a bit or a word, and scaled to the unit of the catalogue', () => {
  expect(decode([65_461], as('int16'))).toBe(-75)
  expect(decode([65_461], as('uint16'))).toBe(65_461)
  expect([0, 1, 15].map((bit) => decode([0x8002], { ...as('bit'), bit }))).toEqual([0, 1, 1])
  expect(decode([1], { ...as('bit'), bit: 7, space: 'coil' })).toBe(1)
  expect(decode([1850], { ...as('uint16'), scale: 0.001, offset: -0.35 })).toBeCloseTo(1.5, 9)
})

test('what a sensor can not have meant is BAD, and a good value is the one that history will hold', () => {
  expect(judge('level_up', Number.NaN)).toEqual(bad('not_a_number'))
  expect(judge('level_up', Number.POSITIVE_INFINITY)).toEqual(bad('out_of_range'))
  expect(judge('level_up', 41)).toEqual(bad('out_of_range'))
  expect(judge('mode', 3)).toEqual(bad('out_of_range'))
  expect(judge('fault', 0x8000_0000)).toEqual(bad('out_of_range'))
  expect(judge('level_up', Math.fround(1.234))).toEqual(good(1.234))
  expect(judge('battery', 1263 * 0.01)).toEqual(good(12.63))
  expect(judge('opening_7', 1.2)).toEqual(good(1.2))
})
