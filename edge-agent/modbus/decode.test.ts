import fc from 'fast-check'
import { expect, test } from 'vitest'
import { registersOf, WORD_ORDERS, WORD_TYPES, type WordOrder, type WordType } from '#contract/profile.ts'
import { bad, good } from '#contract/reading.ts'
import { encodeRaw } from '#simulators/encode.ts'
import { rawNumber } from './decode.ts'
import { judge } from './judge.ts'

const as = (type: WordType, order: WordOrder = 'ABCD') => ({ type, order, bit: 0, bits: 16, space: 'holding' as const })

test('1052.37 m is read from each of the four word orders', () => {
  // The same number as four gateways send it: 44838BD7 in their order of bytes.
  const wire: Record<WordOrder, [number, number]> = {
    ABCD: [0x4483, 0x8bd7],
    CDAB: [0x8bd7, 0x4483],
    BADC: [0x8344, 0xd78b],
    DCBA: [0xd78b, 0x8344],
  }
  for (const order of WORD_ORDERS) expect(rawNumber(wire[order], as('float32', order))).toBeCloseTo(1052.37, 3)
})

const exact = (n: number): number => n
/** Raw numbers that each type can hold, as it gives them back. */
const HELD: Record<Exclude<WordType, 'bit' | 'bits'>, { raw: fc.Arbitrary<number>; back: (n: number) => number }> = {
  int16: { raw: fc.integer({ min: -0x8000, max: 0x7fff }), back: exact },
  uint16: { raw: fc.integer({ min: 0, max: 0xffff }), back: exact },
  sign_magnitude16: { raw: fc.integer({ min: -0x7fff, max: 0x7fff }), back: exact },
  bcd16: { raw: fc.integer({ min: 0, max: 9999 }), back: exact },
  int32: { raw: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), back: exact },
  uint32: { raw: fc.integer({ min: 0, max: 2 ** 32 - 1 }), back: exact },
  bcd32: { raw: fc.integer({ min: 0, max: 99_999_999 }), back: exact },
  float32: { raw: fc.float({ noNaN: true }), back: exact },
  int64: { raw: fc.maxSafeInteger(), back: exact },
  uint64: { raw: fc.maxSafeNat(), back: exact },
  float64: { raw: fc.double({ noNaN: true }), back: exact },
  long_float: {
    raw: fc
      .tuple(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 999 }))
      .map(([n, f]) => n + Math.sign(n) * (f / 1000)),
    back: (n) => Math.trunc(n) + Math.fround(n - Math.trunc(n)),
  },
}

test.each(WORD_TYPES.filter((t) => t !== 'bit' && t !== 'bits'))('any %s in any word order is read as it was written', (type) => {
  const { raw, back } = HELD[type]
  fc.assert(
    fc.property(fc.constantFrom(...WORD_ORDERS), raw, (order, n) => {
      const words = encodeRaw(n, as(type, order))
      expect(words).toHaveLength(registersOf(type))
      expect(rawNumber(words, as(type, order)) + 0).toBe(back(n) + 0)
    }),
  )
})

test('a bit, and a field of bits, is read from among its neighbours', () => {
  expect([0, 1, 15].map((bit) => rawNumber([0x8002], { ...as('bit'), bit, bits: 1 }))).toEqual([0, 1, 1])
  expect(rawNumber([1], { ...as('bit'), bit: 7, space: 'coil' })).toBe(1)
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 15 }),
      fc.integer({ min: 1, max: 16 }),
      fc.integer({ min: 0, max: 0xffff }),
      (bit, width, noise) => {
        const bits = Math.min(width, 16 - bit)
        const mask = (2 ** bits - 1) << bit
        const field = { ...as('bits'), bit, bits }
        const [word = 0] = encodeRaw((noise & mask) >> bit, field)
        expect(rawNumber([word | (noise & ~mask)], field)).toBe((noise & mask) >> bit)
      },
    ),
  )
})

test('a minus of the CYK gauge is its highest bit, not a complement', () => {
  // The manual's example: -0.16 m, in cm.
  expect(rawNumber([0x8010], as('sign_magnitude16'))).toBe(-16)
  expect(rawNumber([0x8010], as('int16'))).toBe(-32_752)
})

test('a register of four digits that holds an F is no number', () => {
  expect(rawNumber([0x1234], as('bcd16'))).toBe(1234)
  expect(rawNumber([0x12f4], as('bcd16'))).toBeNaN()
  expect(rawNumber([0x0012, 0x3456], as('bcd32'))).toBe(123_456)
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
