import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pieces, type Span, wholeSpan } from './span.ts'

async function cut(times: readonly number[], span: Span, most: number): Promise<Span[]> {
  const found: Span[] = []
  const countBy = async ({ from, to }: Span, bucketMs: number) => {
    const counts = new Map<number, number>()
    for (const t of times.filter((x) => x >= from && x < to).sort((a, b) => a - b))
      counts.set(t - (t % bucketMs), (counts.get(t - (t % bucketMs)) ?? 0) + 1)
    return [...counts].map(([t, count]) => ({ t, count }))
  }
  for await (const piece of pieces(span, { most, countBy })) found.push(piece)
  return found
}

test('pieces hold every sample of the span once, in order, and no more than asked for unless one ms does', async () => {
  const times = fc.array(fc.oneof(fc.nat(1_000_000), fc.integer({ min: 500_000, max: 500_050 })), { maxLength: 200 })
  await fc.assert(
    fc.asyncProperty(times, fc.nat(1_000_000), fc.nat(1_000_000), fc.integer({ min: 1, max: 50 }), async (all, a, b, most) => {
      const span = { from: Math.min(a, b), to: Math.max(a, b) }
      const found = await cut(all, span, most)
      const inside = (p: Span): number[] => all.filter((t) => t >= p.from && t < p.to)
      expect(found.flatMap(inside).toSorted((x, y) => x - y)).toEqual(inside(span).toSorted((x, y) => x - y))
      for (const [i, piece] of found.entries()) {
        expect(piece.from).toBeGreaterThanOrEqual(found[i - 1]?.to ?? span.from)
        if (piece.to - piece.from > 1) expect(inside(piece).length).toBeLessThanOrEqual(most)
      }
    }),
  )
})

test('a span is cut to whole ms that a store can hold', () => {
  expect(wholeSpan({ from: -5, to: 10.5 })).toEqual({ from: 0, to: 11 })
  expect(wholeSpan({ from: 0, to: 8.64e15 })).toEqual({ from: 0, to: 9_223_372_036_854 })
})
