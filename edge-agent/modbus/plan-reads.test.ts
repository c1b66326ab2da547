import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planReads } from './plan-reads.ts'
import { isBitSpace, type Point, type Space } from './points.ts'

const point = (space: Space, address: number, words = 1): Point => ({
  metric: `m${address}`,
  space,
  address,
  words: isBitSpace(space) ? 1 : words,
  type: isBitSpace(space) ? 'bit' : words === 2 ? 'float32' : 'uint16',
  bit: 0,
  order: 'ABCD',
  scale: 1,
  offset: 0,
})
const points = fc.array(
  fc
    .tuple(fc.constantFrom<Space>('holding', 'input', 'coil', 'discrete'), fc.integer({ min: 0, max: 400 }), fc.constantFrom(1, 2))
    .map(([space, address, words]) => point(space, address, words)),
  { maxLength: 120 },
)
const maxWords = fc.integer({ min: 2, max: 125 })

test('every point lies inside exactly one read, and no read is longer than the device allows', () => {
  fc.assert(
    fc.property(points, maxWords, (points, maxWords) => {
      const reads = planReads(points, { maxWords })
      expect(reads.flatMap((r) => r.points)).toHaveLength(points.length)
      expect(new Set(reads.flatMap((r) => r.points))).toEqual(new Set(points))
      for (const read of reads) {
        expect(read.words).toBeLessThanOrEqual(isBitSpace(read.space) ? Math.min(2000, maxWords * 16) : maxWords)
        for (const p of read.points) {
          expect(p.space).toBe(read.space)
          expect(p.address).toBeGreaterThanOrEqual(read.address)
          expect(p.address + p.words).toBeLessThanOrEqual(read.address + read.words)
        }
      }
    }),
  )
})

test('no register is read that no point names', () => {
  fc.assert(
    fc.property(points, maxWords, (points, maxWords) => {
      for (const read of planReads(points, { maxWords })) {
        const named = new Set(read.points.flatMap((p) => Array.from({ length: p.words }, (_, i) => p.address + i)))
        expect(named.size).toBe(read.words)
      }
    }),
  )
})

test('registers side by side are one request, a gap makes two, and so does the length that the device takes', () => {
  const level = [point('holding', 0, 2), point('holding', 2, 2), point('holding', 4, 2)]
  expect(planReads(level, { maxWords: 125 }).map((r) => [r.address, r.words])).toEqual([[0, 6]])
  expect(planReads(level, { maxWords: 4 }).map((r) => [r.address, r.words])).toEqual([
    [0, 4],
    [4, 2],
  ])
  expect(planReads([point('holding', 0), point('holding', 100)], { maxWords: 125 })).toHaveLength(2)
})
