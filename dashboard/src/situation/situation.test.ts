import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LiveState, LiveValue } from '#contract/live.ts'
import { BAD_REASONS, bad, good, stale } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { type Ask, arrange, type Listed, matches } from './arrange.ts'
import { CONDITIONS, countConditions, judgeGate, readingNow, sameVerdict, severityOf } from './condition.ts'
import { leafReadings, spanOf } from './openings.ts'
import { comparePlaces, placeOf } from './place.ts'
import { sliceOf } from './window.ts'

const now = unixMs(1_800_000_000_000)
const at = { now, staleAfterMs: 15_000 }
const value = (v: number | null, options: { age?: number; q?: number } = {}): LiveValue => ({
  t: now - (options.age ?? 1000),
  rx: now,
  v,
  q: options.q ?? 0,
})
const state = (metrics: Record<string, LiveValue>, online = true): LiveState => ({ gate: 'g', area: 'a', site: 's', online, metrics })

describe('a gate', () => {
  test('whose values are fresh and good is normal', () => {
    expect(judgeGate(state({ level_up: value(1), flow: value(2, { age: 15_000 }) }), at)).toEqual({
      condition: 'normal',
      newest: now - 1000,
    })
  })
  test('with a value that was not refreshed in time is stale, and tells which', () => {
    const verdict = judgeGate(state({ level_up: value(1), flow: value(2, { age: 15_001 }) }), at)
    expect(verdict).toEqual({ condition: 'stale', newest: now - 1000, metric: 'flow', oldest: now - 15_001, count: 1 })
  })
  test('with a value that could not be taken is bad, with the reason, even when others are stale', () => {
    const verdict = judgeGate(state({ flow: value(2, { age: 99_000 }), level_up: value(null, { q: BAD_REASONS.timeout }) }), at)
    expect(verdict).toMatchObject({ condition: 'bad', metric: 'level_up', reason: 'timeout', count: 1 })
  })
  test('that reports a fault is faulty before all else, unless it is offline', () => {
    const metrics = { fault: value(4), level_up: value(null, { q: 1 }) }
    expect(judgeGate(state(metrics), at)).toMatchObject({ condition: 'fault', word: 4 })
    expect(judgeGate(state(metrics, false), at)).toMatchObject({ condition: 'offline', newest: now - 1000 })
  })
  test('of which nothing has come has no data', () => {
    expect(judgeGate(null, at).condition).toBe('no_data')
    expect(judgeGate(state({}), at).condition).toBe('no_data')
  })
  test('that is offline shows its last values as stale', () => {
    expect(readingNow(state({ flow: value(2) }, false), 'flow', at)).toEqual(stale(2))
    expect(readingNow(state({ flow: value(2) }), 'flow', at)).toEqual(good(2))
    expect(readingNow(state({}), 'flow', at)).toBeUndefined()
    expect(readingNow(null, 'flow', at)).toBeUndefined()
  })
  test('is drawn anew only when what is said of it changes', () => {
    const verdicts = [
      judgeGate(null, at),
      judgeGate(state({ flow: value(1) }), at),
      judgeGate(state({ fault: value(1) }), at),
      judgeGate(state({ fault: value(2) }), at),
      judgeGate(state({ flow: value(null, { q: 1 }) }), at),
      judgeGate(state({ flow: value(null, { q: 2 }) }), at),
      judgeGate(state({ flow: value(1, { age: 20_000 }) }), at),
      judgeGate(state({ level_up: value(1, { age: 20_000 }) }), at),
      judgeGate(state({ flow: value(1) }, false), at),
    ]
    for (const [i, a] of verdicts.entries()) {
      for (const [j, b] of verdicts.entries()) expect(sameVerdict(a, structuredClone(b)), `${i} ${j}`).toBe(i === j)
    }
  })
})

const listed = fc.record({
  id: fc.stringMatching(/^[a-z]{2}-[a-z]{2}-\d\d$/),
  name: fc.record({ zh: fc.constantFrom('丰济干渠进水闸', '沙河干渠节制闸'), en: fc.constantFrom('Fengji head gate', 'Shahe check') }),
  area: fc.constantFrom('yichang', 'yongji', 'wulate'),
  words: fc.constantFrom('fengji', 'shahe'),
  place: fc.nat(1000),
  condition: fc.constantFrom(...CONDITIONS),
  share: fc.option(fc.double({ min: 0, max: 2, noNaN: true })),
  newest: fc.option(fc.nat()),
})
const AREAS = ['yichang', 'yongji', 'wulate']
const ask = (change: Partial<Ask> = {}): Ask => ({ text: '', condition: null, sort: 'place', collapsed: new Set(), ...change })
const gatesOf = (lines: readonly { kind: string; gate?: Listed }[]): Listed[] => lines.flatMap((l) => (l.gate ? [l.gate] : []))

describe('the overview', () => {
  test('by place shows each gate once, under the head of its area, whose counts add up', () => {
    fc.assert(
      fc.property(fc.array(listed), (gates) => {
        const lines = arrange(gates, AREAS, ask())
        expect(gatesOf(lines)).toHaveLength(gates.length)
        let head = ''
        for (const line of lines) {
          if (line.kind === 'area') {
            head = line.id
            expect(Object.values(line.counts).reduce((a, b) => a + b, 0)).toBe(line.total)
          } else expect(line.gate.area).toBe(head)
        }
      }),
    )
  })
  test('by trouble puts no gate below one that is better off', () => {
    fc.assert(
      fc.property(fc.array(listed), (gates) => {
        const severities = gatesOf(arrange(gates, AREAS, ask({ sort: 'trouble' }))).map((g) => severityOf(g.condition))
        expect(severities).toEqual(severities.toSorted((a, b) => a - b))
        expect(severities).toHaveLength(gates.length)
      }),
    )
  })
  test('by flow puts the fullest first and the unknown last; by age the oldest first', () => {
    fc.assert(
      fc.property(fc.array(listed), (gates) => {
        const shares = gatesOf(arrange(gates, AREAS, ask({ sort: 'flow' }))).map((g) => g.share ?? -1)
        expect(shares).toEqual(shares.toSorted((a, b) => b - a))
        const ages = gatesOf(arrange(gates, AREAS, ask({ sort: 'age' }))).map((g) => g.newest ?? 0)
        expect(ages).toEqual(ages.toSorted((a, b) => a - b))
      }),
    )
  })
  test('filtered by a state still counts every gate of the area in its head', () => {
    const gates: Listed[] = CONDITIONS.map((condition, place) => ({
      id: `yc-fj-0${place}`,
      name: { zh: '丰济', en: 'Fengji' },
      area: 'yichang',
      words: '',
      place,
      condition,
      share: null,
      newest: null,
    }))
    const lines = arrange(gates, AREAS, ask({ condition: 'bad' }))
    expect(lines).toMatchObject([{ kind: 'area', total: 6, counts: { bad: 1, normal: 1 } }, { kind: 'gate' }])
    expect(arrange(gates, AREAS, ask({ collapsed: new Set(['yichang']) }))).toHaveLength(1)
    expect(countConditions(gates.map((g) => g.condition))).toEqual({ fault: 1, offline: 1, bad: 1, stale: 1, no_data: 1, normal: 1 })
  })
  test('finds a gate by Chinese name, pinyin id, canal, or several words of them', () => {
    const gate: Listed = {
      id: 'yc-fengji-01',
      name: { zh: '丰济干渠进水闸', en: 'Fengji main canal head gate' },
      area: 'yichang',
      words: '丰济干渠 yc-s012',
      place: 0,
      condition: 'normal',
      share: null,
      newest: null,
    }
    for (const text of ['', '丰济', 'FENGJI', 'yc-s012', '进水 fengji', ' 丰济 ']) expect(matches(gate, text), text).toBe(true)
    for (const text of ['沙河', 'fengji 02']) expect(matches(gate, text), text).toBe(false)
  })
})

describe('the places', () => {
  const canal = (id: string, parent: string | null, km: number | null) => ({
    id,
    parent,
    parent_chainage_km: km,
    name: { zh: id, en: id },
    area: 'a',
    length_km: null,
    design_flow_m3s: null,
  })
  const canals = new Map(
    [canal('main', null, null), canal('upper', 'main', 30), canal('lower', 'main', 62), canal('branch', 'upper', 15)].map((c) => [c.id, c]),
  )
  test('follow the water: down the trunk, and into each branch where it turns off', () => {
    const gates = [
      { canal: 'lower', chainage_km: 0 },
      { canal: 'main', chainage_km: 62 },
      { canal: 'branch', chainage_km: 3 },
      { canal: 'upper', chainage_km: 20 },
      { canal: 'main', chainage_km: 0 },
      { canal: 'upper', chainage_km: 0 },
    ]
    const ordered = gates.toSorted((a, b) => comparePlaces(placeOf(a, canals), placeOf(b, canals)))
    expect(ordered.map((g) => `${g.canal} ${g.chainage_km}`)).toEqual(['main 0', 'upper 0', 'branch 3', 'upper 20', 'main 62', 'lower 0'])
  })
  test('of a canal that leads round to itself, or is not known, still have an order', () => {
    const round = new Map([canal('a', 'b', 1), canal('b', 'a', 2)].map((c) => [c.id, c]))
    expect(placeOf({ canal: 'a', chainage_km: 5 }, round).turns).toEqual([2, 1, 5])
    expect(placeOf({ canal: 'nowhere', chainage_km: 5 }, round)).toEqual({ trunk: 'nowhere', turns: [5] })
  })
})

describe('a long list', () => {
  test('draws every line that is in view, and its height never changes', () => {
    const heights = fc.array(fc.integer({ min: 10, max: 80 }), { maxLength: 200 })
    fc.assert(
      fc.property(heights, fc.nat(20_000), fc.integer({ min: 1, max: 2000 }), fc.nat(10), (heights, top, height, margin) => {
        const slice = sliceOf(heights, { top, height, margin })
        const drawn = heights.slice(slice.first, slice.last).reduce((a, b) => a + b, 0)
        expect(slice.before + drawn + slice.after).toBe(heights.reduce((a, b) => a + b, 0))
        let y = 0
        for (const [i, h] of heights.entries()) {
          const inView = y + h > top && y < top + height
          if (inView) expect(i >= slice.first && i < slice.last).toBe(true)
          y += h
        }
      }),
    )
  })
  test('of a thousand gates draws some forty of them', () => {
    const slice = sliceOf(Array<number>(1000).fill(30), { top: 12_000, height: 900, margin: 6 })
    expect(slice.last - slice.first).toBeLessThan(45)
  })
})

describe('the openings', () => {
  test('are the span over the leaves, with those unknown or old counted', () => {
    const readings: Record<string, ReturnType<typeof good>> = { opening: good(0.42), opening_2: stale(0.45), opening_3: bad('timeout') }
    const leaves = leafReadings(4, (metric) => readings[metric])
    expect(leaves.map((l) => l.leaf)).toEqual([1, 2, 3, 4])
    expect(spanOf(leaves)).toEqual({ min: 0.42, max: 0.45, unknown: 2, stale: 1 })
    expect(spanOf(leafReadings(2, () => undefined))).toBeNull()
  })
})
