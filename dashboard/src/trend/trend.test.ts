import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HistoryReply, Series } from '#contract/http.ts'
import type { LiveState } from '#contract/live.ts'
import { type ColumnOptions, cellBefore, type TailPoint, toColumns } from './columns.ts'
import { firstChoice, keyOf, lineStyle, panesOf } from './panes.ts'
import { piecesOf } from './pieces.ts'
import { fromQuery, toQuery } from './query.ts'
import { extendTail } from './tail.ts'
import { back, current, panBy, rereadMs, shift, type Trail, windowOf, zoomAt, zoomIn, zoomTo } from './view.ts'

const raw = (values: (number | null)[], bad: number[] = values.map(() => 0)): Series => ({ min: values, max: values, mean: values, bad })
const live = (t: number, value: number | null): TailPoint => ({ t, value, bad: value === null })
const options = (change: Partial<ColumnOptions> = {}): ColumnOptions => ({ metrics: ['flow'], until: 1_000_000, gapMs: 15_000, ...change })

describe('columns', () => {
  test('are the samples of the history, in seconds', () => {
    const reply: HistoryReply = { bucket_ms: 0, t: [1000, 6000], flow: raw([1, 2]) }
    expect(toColumns(reply, {}, options())).toEqual({
      x: [1, 6],
      series: { flow: { min: [1, 2], max: [1, 2], mean: [1, 2], bad: [] } },
    })
  })
  test('of buckets stand in their middle and keep minimum and maximum', () => {
    const flow: Series = { min: [1, 2], max: [3, 9], mean: [2, 5], bad: [0, 0] }
    const columns = toColumns({ bucket_ms: 60_000, t: [0, 60_000], flow }, {}, options({ until: 70_000 }))
    // The second bucket has only begun: it is drawn no later than the end of what was asked for.
    expect(columns.x).toEqual([30, 70])
    expect(columns.series['flow']).toEqual({ min: [1, 2], max: [3, 9], mean: [2, 5], bad: [] })
  })
  test('have a gap where nothing came for longer than a value is believed', () => {
    const reply: HistoryReply = { bucket_ms: 0, t: [0, 15_000, 30_001], flow: raw([1, 2, 3]) }
    expect(toColumns(reply, {}, options()).series['flow']?.mean).toEqual([1, 2, null, 3])
  })
  test('are a line where readings were taken more slowly than now, and have a gap where two came amid an outage', () => {
    const five = 300_000
    const at = [0, 1, 2, 3, 4].map((n) => n * five)
    const slow: HistoryReply = { bucket_ms: 0, t: at, flow: raw([1, 2, 3, 4, 5]) }
    expect(toColumns(slow, {}, options()).series['flow']?.mean).toEqual([1, 2, 3, 4, 5])
    const late = 4 * five + 3 * five
    const then: HistoryReply = { bucket_ms: 0, t: [...at, late], flow: raw([1, 2, 3, 4, 5, 6]) }
    expect(toColumns(then, {}, options()).series['flow']?.mean).toEqual([1, 2, 3, 4, 5, null, 6])
    const amid: HistoryReply = {
      bucket_ms: 0,
      t: [0, 5000, 10_000, five, 2 * five, 2 * five + 5000, 2 * five + 10_000],
      flow: raw([1, 2, 3, 4, 5, 6, 7]),
    }
    expect(toColumns(amid, {}, options()).series['flow']?.mean).toEqual([1, 2, 3, null, 4, null, 5, 6, 7])
  })
  test('have a gap where a value was bad, and tell until when', () => {
    const reply: HistoryReply = { bucket_ms: 0, t: [0, 5000, 10_000], flow: raw([1, null, 3], [0, 1, 0]) }
    const columns = toColumns(reply, {}, options())
    expect(columns.series['flow']?.mean).toEqual([1, null, 3])
    expect(columns.series['flow']?.bad).toEqual([{ from: 5000, to: 10_000 }])
  })
  test('have no gap in one line where only another has a sample', () => {
    const reply: HistoryReply = { bucket_ms: 0, t: [0, 2000, 4000], flow: raw([1, null, 3]), level_up: raw([null, 8, null]) }
    const columns = toColumns(reply, {}, options({ metrics: ['flow', 'level_up'] }))
    expect(columns.series['flow']?.mean).toEqual([1, undefined, 3])
    expect(columns.series['level_up']?.mean).toEqual([undefined, 8, undefined])
  })
  test('go on with what came live, and nothing stands twice', () => {
    const reply: HistoryReply = { bucket_ms: 0, t: [0, 5000], flow: raw([1, 2]) }
    const columns = toColumns(reply, { flow: [live(0, 9), live(5000, 9), live(10_000, 3), live(15_000, null)] }, options({ until: 6000 }))
    expect(columns.x).toEqual([0, 5, 10, 15])
    expect(columns.series['flow']?.mean).toEqual([1, 2, 3, null])
    expect(columns.series['flow']?.bad).toEqual([{ from: 15_000, to: 30_000 }])
  })
  test('show what came live even while the history is behind', () => {
    const reply: HistoryReply = { bucket_ms: 0, t: [0], flow: raw([1]) }
    const tail = { flow: [live(5000, 2), live(10_000, 3)] }
    expect(toColumns(reply, tail, options({ until: 60_000 })).series['flow']?.mean).toEqual([1, 2, 3])
  })
  test('of a bucket that has only begun are followed by what came since', () => {
    const flow: Series = { min: [1], max: [1], mean: [1], bad: [0] }
    const tail = { flow: [live(61_000, 1), live(66_000, 2)] }
    const columns = toColumns({ bucket_ms: 60_000, t: [60_000], flow }, tail, options({ until: 63_000 }))
    expect(columns.x).toEqual([63, 66])
    expect(columns.series['flow']?.mean).toEqual([1, 2])
  })
  test('of a metric that the history does not know are the live values alone', () => {
    expect(toColumns({ bucket_ms: 0, t: [] }, { flow: [live(1000, 4)] }, options()).series['flow']?.mean).toEqual([4])
    expect(toColumns({ bucket_ms: 0, t: [] }, {}, options())).toEqual({ x: [], series: { flow: { min: [], max: [], mean: [], bad: [] } } })
  })
  test('lose no sample, run forward in time, and shade every bad one', () => {
    const sample = fc.record({ step: fc.integer({ min: 1, max: 60_000 }), value: fc.option(fc.double({ noNaN: true })) })
    fc.assert(
      fc.property(fc.array(sample), fc.array(sample), fc.constantFrom(0, 30_000), (stored, came, bucketMs) => {
        let t = 0
        const times = stored.map((s) => {
          t += Math.max(s.step, bucketMs)
          return t
        })
        const values = stored.map((s) => s.value)
        const flow = raw(
          values,
          values.map((v) => (v === null ? 1 : 0)),
        )
        const until = t + bucketMs
        let u = until
        const tail = came.map((s) => {
          u += s.step
          return live(u, s.value)
        })
        const columns = toColumns({ bucket_ms: bucketMs, t: times, flow }, { flow: tail }, options({ until }))
        for (const [i, x] of columns.x.entries()) if (i > 0) expect(x).toBeGreaterThan(columns.x[i - 1] ?? 0)
        const drawn = columns.series['flow']?.mean.filter((v) => v !== null)
        expect(drawn).toEqual([...values, ...came.map((s) => s.value)].filter((v) => v !== null))
        const badTimes = [...times.filter((_, i) => values[i] === null), ...tail.filter((p) => p.bad).map((p) => p.t)]
        for (const b of badTimes) expect(columns.series['flow']?.bad.some((span) => span.from <= b && b <= span.to)).toBe(true)
      }),
    )
  })
  test('tell the value under the cursor: the last before it, none inside a gap', () => {
    expect(cellBefore([1, undefined, null, undefined, 5], 1)).toBe(1)
    expect(cellBefore([1, undefined, null, undefined, 5], 3)).toBeNull()
    expect(cellBefore([1, undefined, null, undefined, 5], 99)).toBe(5)
    expect(cellBefore([], 0)).toBeNull()
  })
})

describe('the live tail', () => {
  const state = (t: number, v: number | null, q = 0): LiveState => ({
    gate: 'g',
    area: 'a',
    site: 's',
    online: true,
    metrics: { flow: { t, rx: t, v, q } },
  })
  test('takes each value once, and a bad one as a gap', () => {
    const tail = new Map<string, TailPoint[]>()
    expect(extendTail(tail, state(1000, 1))).toBe(true)
    expect(extendTail(tail, state(1000, 1))).toBe(false)
    expect(extendTail(tail, state(500, 7))).toBe(false)
    expect(extendTail(tail, state(2000, null, 1))).toBe(true)
    expect(tail.get('flow')).toEqual([live(1000, 1), live(2000, null)])
  })
  test('stays small on a page that is open for days', () => {
    const tail = new Map<string, TailPoint[]>()
    for (let t = 1; t < 5000; t++) extendTail(tail, state(t, t))
    expect(tail.get('flow')).toHaveLength(2000)
    expect(tail.get('flow')?.at(-1)?.t).toBe(4999)
  })
})

describe('the view', () => {
  const start: Trail = [{ kind: 'live', rangeMs: 3_600_000 }]
  test('slides with time until one zooms, and the way back leads to it', () => {
    expect(windowOf(current(start), 10_000_000)).toEqual({ from: 6_400_000, to: 10_000_000 })
    const zoomed = zoomTo(start, { from: 9_000_000, to: 8_000_000 })
    expect(windowOf(current(zoomed), 99_000_000)).toEqual({ from: 8_000_000, to: 9_000_000 })
    expect(back(zoomed)).toEqual(start)
    expect(back(start)).toEqual(start)
  })
  test('does not zoom on a slip of the mouse', () => {
    expect(zoomTo(start, { from: 1000, to: 5000 })).toBe(start)
  })
  test('is halved around its middle, or towards now', () => {
    const now = 10_000_000
    expect(current(zoomIn(start, now))).toEqual({ kind: 'live', rangeMs: 1_800_000 })
    const span = zoomTo(start, { from: 0, to: 4_000_000 })
    expect(current(zoomIn(span, now))).toEqual({ kind: 'span', from: 1_000_000, to: 3_000_000 })
  })
  test('that is moved to the right end is live again', () => {
    const now = 10_000_000
    const earlier = shift(start, { by: -0.5, now })
    expect(earlier).toEqual([{ kind: 'span', from: 4_600_000, to: 8_200_000 }])
    expect(shift(earlier, { by: 0.5, now })).toEqual(start)
  })
  test('that is dragged follows the hand, and is scaled around the moment under it', () => {
    const now = 10_000_000
    const dragged = panBy(start, { ms: -1_000_000, now })
    expect(dragged).toEqual([{ kind: 'span', from: 5_400_000, to: 9_000_000 }])
    expect(panBy(dragged, { ms: 2_000_000, now })).toEqual(start)
    expect(current(zoomAt(dragged, { t: 6_300_000, factor: 0.5, now }))).toEqual({ kind: 'span', from: 5_850_000, to: 7_650_000 })
    expect(current(zoomAt(dragged, { t: 5_400_000, factor: 10, now }))).toEqual({ kind: 'live', rangeMs: 36_000_000 })
  })
  test('reads the history anew as often as a pixel of it passes', () => {
    expect(rereadMs(3_600_000)).toBe(15_000)
    expect(rereadMs(30 * 24 * 3_600_000)).toBe(300_000)
  })
})

describe('an address', () => {
  const line = fc.record({ gate: fc.stringMatching(/^[a-z][a-z0-9-]{0,9}$/), metric: fc.constantFrom('level_up', 'flow', 'opening_2') })
  const view = fc.oneof(
    fc.record({ kind: fc.constant('live' as const), rangeMs: fc.integer({ min: 1, max: 10 ** 11 }) }),
    fc.record({ from: fc.integer({ min: 0, max: 10 ** 12 }), width: fc.integer({ min: 1, max: 10 ** 11 }) }).map(({ from, width }) => {
      return { kind: 'span' as const, from, to: from + width }
    }),
  )
  test('opens the view that it was made of', () => {
    fc.assert(
      fc.property(fc.uniqueArray(line, { maxLength: 20, selector: keyOf }), view, (lines, shown) => {
        const found = fromQuery(toQuery({ lines, view: shown }))
        expect(found.view).toEqual(shown)
        expect(found.lines.map(keyOf).sort()).toEqual(lines.map(keyOf).sort())
      }),
    )
  })
  test('that somebody has mangled opens what is left of it', () => {
    expect(fromQuery({ s: 'a:flow;;b;c:,flow', from: '9', to: '3', last: 'x' })).toEqual({
      lines: [
        { gate: 'a', metric: 'flow' },
        { gate: 'c', metric: 'flow' },
      ],
      view: { kind: 'live', rangeMs: 3_600_000 },
    })
    expect(fromQuery({}).lines).toEqual([])
  })
})

describe('the panes', () => {
  test('hold metrics of one unit each, every metric once', () => {
    const line = (metric: string, gate = 'g') => ({ gate, metric })
    const panes = panesOf([
      ...['level_up', 'opening', 'flow', 'opening_2', 'mode', 'unheard_of'].map((m) => line(m)),
      line('level_up', 'h'),
    ])
    expect(panes).toEqual([
      { kind: 'level', unit: 'm', lines: [line('level_up'), line('level_up', 'h')] },
      { kind: 'flow', unit: 'm³/s', lines: [line('flow')] },
      { kind: 'opening', unit: 'm', lines: [line('opening'), line('opening_2')] },
      { kind: 'state', unit: '', lines: [line('mode')] },
    ])
  })
  test('show at first the levels, the flow and a few leaves', () => {
    const all = ['level_up', 'flow', 'battery', ...Array.from({ length: 18 }, (_, i) => (i === 0 ? 'opening' : `opening_${i + 1}`))]
    expect(firstChoice(all)).toEqual(['level_up', 'flow', 'opening', 'opening_2', 'opening_3', 'opening_4'])
  })
  test('give twelve lines twelve looks', () => {
    const looks = Array.from({ length: 12 }, (_, n) => JSON.stringify(lineStyle(n)))
    expect(new Set(looks).size).toBe(12)
  })
})

test('a line in pieces has each of its segments, and each corner within one of them', () => {
  expect(piecesOf(10, 200)).toEqual([[10, 200]])
  const pieces = piecesOf(700, 2279)
  expect(pieces[0]?.[0]).toBe(700)
  expect(pieces.at(-1)?.[1]).toBe(2279)
  for (let corner = 701; corner < 2279; corner++) expect(pieces.some(([from, to]) => from < corner && corner < to)).toBe(true)
  expect(piecesOf(0, 512)).toEqual([
    [0, 256],
    [255, 512],
  ])
})
