import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isBitSpace, type Space } from '#contract/profile.ts'
import { type BlockLimits, planReads, type Read, splitRead } from './plan-reads.ts'
import type { Span } from './points.ts'

const span = (space: Space, address: number, words = 1): Span => ({ space, address, words: isBitSpace(space) ? 1 : words })
const spans = fc.array(
  fc
    .tuple(fc.constantFrom<Space>('holding', 'input', 'coil', 'discrete'), fc.integer({ min: 0, max: 400 }), fc.constantFrom(1, 2, 4))
    .map(([space, address, words]) => span(space, address, words)),
  { maxLength: 120 },
)
const limits: fc.Arbitrary<BlockLimits> = fc.record({
  maxWords: fc.integer({ min: 4, max: 125 }),
  maxGap: fc.integer({ min: 0, max: 20 }),
  borders: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 4 }),
})
const plain: BlockLimits = { maxWords: 125, maxGap: 0, borders: [] }
const at = (reads: readonly Read[]): number[][] => reads.map((r) => [r.address, r.words])

test('every value lies inside exactly one read, and no read is longer than the device allows', () => {
  fc.assert(
    fc.property(spans, limits, (spans, limits) => {
      const reads = planReads(spans, limits)
      expect(reads.flatMap((r) => r.spans)).toHaveLength(spans.length)
      expect(new Set(reads.flatMap((r) => r.spans))).toEqual(new Set(spans))
      for (const read of reads) {
        expect(read.words).toBeLessThanOrEqual(isBitSpace(read.space) ? Math.min(2000, limits.maxWords * 16) : limits.maxWords)
        for (const s of read.spans) {
          expect(s.space).toBe(read.space)
          expect(s.address).toBeGreaterThanOrEqual(read.address)
          expect(s.address + s.words).toBeLessThanOrEqual(read.address + read.words)
        }
      }
    }),
  )
})

test('no more unnamed registers in a row are read than the device lets pass', () => {
  fc.assert(
    fc.property(spans, limits, (spans, limits) => {
      for (const read of planReads(spans, limits)) {
        const named = new Set(read.spans.flatMap((s) => Array.from({ length: s.words }, (_, i) => s.address + i)))
        let row = 0
        for (let a = read.address; a < read.address + read.words; a++) {
          row = named.has(a) ? 0 : row + 1
          expect(row).toBeLessThanOrEqual(limits.maxGap)
        }
        if (limits.maxGap === 0) expect(named.size).toBe(read.words)
      }
    }),
  )
})

test('no read reaches over a border, but for a value that itself lies across one', () => {
  fc.assert(
    fc.property(spans, limits, (spans, limits) => {
      for (const read of planReads(spans, limits)) {
        const crossed = limits.borders.filter((b) => read.address < b && b < read.address + read.words)
        for (const b of crossed) expect(read.spans.some((s) => s.address < b && b < s.address + s.words)).toBe(true)
      }
    }),
  )
})

test('registers side by side are one request, a gap makes two unless the device lets it pass, and so does its longest read', () => {
  const level = [span('holding', 0, 2), span('holding', 2, 2), span('holding', 4, 2)]
  expect(at(planReads(level, plain))).toEqual([[0, 6]])
  expect(at(planReads(level, { ...plain, maxWords: 4 }))).toEqual([
    [0, 4],
    [4, 2],
  ])
  const apart = [span('holding', 0), span('holding', 9)]
  expect(planReads(apart, plain)).toHaveLength(2)
  expect(at(planReads(apart, { ...plain, maxGap: 8 }))).toEqual([[0, 10]])
  expect(planReads(apart, { ...plain, maxGap: 8, borders: [5] })).toHaveLength(2)
})

test('a refused block is halved at its widest gap, until single values are left, and none is lost', () => {
  const [wide] = planReads([span('holding', 0), span('holding', 1), span('holding', 8), span('holding', 9)], { ...plain, maxGap: 10 })
  expect(wide && at(splitRead(wide) ?? [])).toEqual([
    [0, 2],
    [8, 2],
  ])
  fc.assert(
    fc.property(spans, limits, (spans, limits) => {
      const parts = (read: Read): Read[] => splitRead(read)?.flatMap(parts) ?? [read]
      for (const read of planReads(spans, limits)) {
        const all = parts(read)
        expect(new Set(all.flatMap((p) => p.spans))).toEqual(new Set(read.spans))
        for (const p of all) expect(splitRead(p)).toBeNull()
      }
    }),
  )
})
