import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Fault } from '#contract/fault.ts'
import { parseQuery, replyOf } from './history.ts'

const asked = { metrics: 'level_up, flow,level_up', from: 0, to: 1000, points: 100 }

test('metrics are named once each, in the order asked', () => {
  expect(parseQuery('g', asked).metrics).toEqual(['level_up', 'flow'])
  expect(parseQuery('g', { ...asked, metrics: 'opening_2' }).metrics).toEqual(['opening_2'])
})

test.each([
  [{ metrics: 'level_up,nonsense' }, /does not know "nonsense"/],
  [{ metrics: 'level_up,' }, /does not know ""/],
  [{ from: 1000 }, /not before/],
  [{ from: 2000 }, /not before/],
  [{ from: -1 }, /no date/],
  [{ to: 9e15 }, /no date/],
  [{ to: 6 * 366 * 86_400_000 }, /span/],
  [{ metrics: Array.from({ length: 21 }, (_, i) => `opening_${i + 2}`).join(',') }, /too many/],
])('a question with %j is refused with its reason', (change, reason) => {
  expect(() => parseQuery('g', { ...asked, ...change })).toThrow(reason)
})

test('no question makes it throw anything but a fault', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer(), fc.integer(), (metrics, from, to) => {
      try {
        const query = parseQuery('g', { metrics, from, to, points: 10 })
        expect(query.from).toBeLessThan(query.to)
      } catch (error) {
        expect(error).toBeInstanceOf(Fault)
      }
    }),
  )
})

test('a metric of which the store has nothing is a column of gaps', () => {
  expect(replyOf(['flow'], { bucketMs: 0, t: [1, 2], series: {} })).toEqual({
    bucket_ms: 0,
    t: [1, 2],
    flow: { min: [null, null], max: [null, null], mean: [null, null], bad: [0, 0] },
  })
})
