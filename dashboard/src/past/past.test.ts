import { describe, expect, test } from 'vitest'
import type { Alarm } from '#contract/alarm.ts'
import { untold } from '#contract/alarm-past.ts'
import type { CommandView } from '#contract/http/command.ts'
import type { Past } from '#contract/http/past.ts'
import { beijingFieldOfSeconds, msOfField } from '../display/time.ts'
import { markBeside, momentIn, shownAt, stepMsOf, stretchFrom } from './pace.ts'
import { commandAt, orderAt, Stretch } from './stretch.ts'

const T = 1_790_000_000_000
const lost: Alarm = untold({ id: 'site_lost:s1', kind: 'site_lost', area: 'a', site: 's1', gate: null, priority: 'high', limit: null })
const event = (what: 'raised' | 'returned', at: number) =>
  ({ id: at, alarm: lost.id, area: 'a', occurrence: 1, event: what, at, who: '', note: '', value: null, until: null }) as const
const PAST: Past = {
  ...{ from: T, to: T + 60_000, step_ms: 1000 },
  gates: {
    g1: {
      stale_after_ms: 15_000,
      metrics: {
        level_up: { t: [T - 5000, T + 10_000, T + 20_000], v: [1, 2, null], q: [0, 0, 1] },
        flow: { t: [T + 30_000], v: [7] },
      },
    },
  },
  alarms: [lost],
  events: [event('raised', T + 40_000), event('returned', T + 50_000)],
  ...{ out_of_contact: [], commands: [], orders: [], tags: [] },
}
const places = new Map([
  ['g1', { area: 'a', site: 's1' }],
  ['g2', { area: 'a', site: 's2' }],
])

describe('a stretch of the past', () => {
  test('shows of each metric the newest that was there at that moment, and nothing that came later', () => {
    const stretch = new Stretch(PAST, places)
    const first = stretch.frameAt(T)
    expect(first.states.get('g1')).toMatchObject({ online: true, metrics: { level_up: { t: T - 5000, v: 1, q: 0 } } })
    expect(Object.keys(first.states.get('g1')?.metrics ?? {})).toEqual(['level_up'])
    expect(first.states.get('g2')).toBeNull()
    expect(stretch.frameAt(T + 20_000).states.get('g1')?.metrics['level_up']).toMatchObject({ v: null, q: 1 })
    expect(stretch.frameAt(T + 30_000).states.get('g1')?.metrics['flow']).toMatchObject({ v: 7 })
  })

  test('tells a gate again only when something of it has changed, and all of them after going back', () => {
    const stretch = new Stretch(PAST, places)
    stretch.frameAt(T)
    expect([...stretch.frameAt(T + 9000).states.keys()]).toEqual([])
    expect([...stretch.frameAt(T + 10_000).states.keys()]).toEqual(['g1'])
    expect([...stretch.frameAt(T + 5000).states.keys()]).toEqual(['g1', 'g2'])
    expect(stretch.frameAt(T + 6000).states.size).toBe(0)
  })

  test('shows a site out of contact from its alarm until that returned, its gates with it', () => {
    const stretch = new Stretch(PAST, places)
    expect(stretch.frameAt(T + 39_999).lostSites.size).toBe(0)
    const during = stretch.frameAt(T + 40_000)
    expect([...during.lostSites]).toEqual(['s1'])
    expect(during.states.get('g1')?.online).toBe(false)
    expect(during.alarms).toMatchObject([{ active: true, raised_at: T + 40_000 }])
    expect(stretch.frameAt(T + 50_000).states.get('g1')?.online).toBe(true)
    expect(stretch.frameAt(T).alarms).toMatchObject([{ active: false }])
  })
})

const command: CommandView = {
  ...{ id: 'c', structure: 'g1', area: 'a', action: { kind: 'stop' }, state: 'done', reason: null, needs_second: true, by: 'w' },
  ...{ approved_by: 'z', order: null, counter: 1, selected_at: T, expires_at: T + 900, confirmed_at: T + 100, moving_at: T + 200 },
  ...{ updated_at: T + 300, report: null },
}
test('a command is told as its times tell, from its selection to its end', () => {
  const states = [-1, 0, 100, 200, 299, 300].map((ms) => commandAt(command, T + ms))
  expect(states).toEqual([null, 'awaiting', 'sent', 'moving', 'moving', null])
  const never: CommandView = { ...command, state: 'selected', confirmed_at: null, moving_at: null, updated_at: T }
  expect([0, 899, 900].map((ms) => commandAt(never, T + ms))).toEqual(['selected', 'selected', null])
})

test('an order is what its last step made of it', () => {
  const steps = (['draft', 'issued', 'closed'] as const).map((state, i) => ({ state, at: T + i }))
  const order = {
    id: 'o',
    year: 2026,
    number: 1,
    area: 'a',
    structure: 'g1',
    target: { kind: 'flow', flow_m3s: 1 },
    reason: '',
    effective_at: T,
  } as const
  expect([-1, 0, 1, 2].map((ms) => orderAt({ ...order, steps }, T + ms))).toEqual([null, 'draft', 'issued', null])
})

describe('the pace of a replay', () => {
  test('reads twenty seconds of playing at a time, in steps of half a second on the screen', () => {
    expect(([1, 10, 60, 300, 600] as const).map(stepMsOf)).toEqual([1000, 5000, 30_000, 120_000, 300_000])
    expect(stretchFrom(T + 1, { speed: 600, now: T + 1e9 })).toEqual({
      from: T - (T % 300_000),
      to: T - (T % 300_000) + 12_000_000,
      step_ms: 300_000,
    })
    expect(stretchFrom(T, { speed: 1, now: T + 30_000 })).toEqual({ from: T, to: T + 30_000, step_ms: 1000 })
  })
  test('shows whole steps', () => {
    expect(shownAt(T + 299_999, 300_000)).toBe(T + 299_999 - ((T + 299_999) % 300_000))
  })
  test('goes from alarm to alarm', () => {
    const marks = [{ at: 1 }, { at: 5 }, { at: 9 }]
    expect(markBeside(marks, 5, 'next')).toEqual({ at: 9 })
    expect(markBeside(marks, 5, 'previous')).toEqual({ at: 1 })
    expect(markBeside(marks, 9, 'next')).toBeUndefined()
  })
  test('an address names a moment of the past, and nothing else is one', () => {
    expect(momentIn(String(T), T + 1)).toBe(T)
    for (const wrong of [String(T), '12', 'x', undefined, null, ['1'], '1e13']) expect(momentIn(wrong, T)).toBeNull()
  })
  test('times are written in Beijing time', () => {
    expect(beijingFieldOfSeconds(Date.UTC(2026, 6, 1, 0, 0, 5))).toBe('2026-07-01T08:00:05')
    expect(msOfField('2026-07-01T08:00:05')).toBe(Date.UTC(2026, 6, 1, 0, 0, 5))
    expect(msOfField('')).toBeNaN()
  })
})
