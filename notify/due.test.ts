import { expect, test } from 'vitest'
import type { Alarm } from '#contract/alarm.ts'
import type { Told } from '#registry/notifications.ts'
import { dueTellings, inShift, mayFollow } from './due.ts'
import { composeMessage } from './message.ts'
import type { Route } from './settings.ts'

const NOW = Date.parse('2026-06-01T12:00:00Z')
const MINUTE_MS = 60_000
const alarm = (id: string, rest: Partial<Alarm> = {}): Alarm => ({
  ...{ id, kind: 'level_warning', area: 'yichang', site: 's1', gate: id, priority: 'high', active: true, acknowledged: false },
  ...{ suppressed: false, occurrence: 1, raised_at: NOW, returned_at: null, value: 2.3, limit: 2.2, acknowledged_by: null },
  ...{ acknowledged_at: null, shelved_until: null, shelved_by: null, shelve_reason: null, out_of_service: false, rev: 1 },
  ...rest,
})
const route = (rest: Partial<Route> = {}): Route => ({ name: 'r', areas: [], priority: 'high', to: ['wang'], escalate: [], ...rest })
const due = (routes: Route[], alarms: Alarm[], told: Told[] = [], now = NOW) =>
  dueTellings({ routes, utc_offset_min: 480 }, { alarms, told }, now).map((t) => [t.receiver, t.step, t.alarms.map((a) => a.id)])
const told = (id: string, receiver: string, step = 0, at = NOW): Told => ({ alarm: id, occurrence: 1, receiver, step, at })

test('an alarm goes to the receivers of its area and priority; one of the center goes to all', () => {
  const routes = [route({ areas: ['yichang'] }), route({ areas: ['yongji'], priority: 'low', to: ['li'] })]
  const alarms = [
    alarm('a'),
    alarm('b', { area: 'yongji', priority: 'low' }),
    alarm('c', { priority: 'medium' }),
    alarm('d', { area: null }),
  ]
  expect(due(routes, alarms)).toEqual([
    ['wang', 0, ['a', 'd']],
    ['li', 0, ['b', 'd']],
  ])
})

test('what is acknowledged, shelved, suppressed or out of service is told to nobody; what has come and gone unseen is', () => {
  const quiet = [
    alarm('a', { acknowledged: true }),
    alarm('b', { shelved_until: NOW + 1 }),
    alarm('c', { suppressed: true }),
    alarm('d', { out_of_service: true }),
  ]
  expect(due([route()], quiet)).toEqual([])
  expect(due([route()], [alarm('e', { active: false })])).toEqual([['wang', 0, ['e']]])
})

test('a night shift runs over midnight, and what nobody has acknowledged is told when the next shift begins', () => {
  const night = route({ shift: { from: '20:00', to: '08:00' } })
  const day = route({ shift: { from: '08:00', to: '20:00' }, to: ['li'] })
  expect(inShift(night, NOW, 480)).toBe(true)
  expect(inShift(night, NOW + 12 * 60 * MINUTE_MS, 480)).toBe(false)
  expect(due([night, day], [alarm('a')])).toEqual([['wang', 0, ['a']]])
  expect(due([night, day], [alarm('a')], [told('a', 'wang')], NOW + 12 * 60 * MINUTE_MS)).toEqual([['li', 0, ['a']]])
})

test('who is named by two routes is told once, and each occurrence once', () => {
  expect(due([route(), route({ areas: ['yichang'] })], [alarm('a')])).toEqual([['wang', 0, ['a']]])
  expect(due([route()], [alarm('a')], [told('a', 'wang')])).toEqual([])
  expect(due([route()], [alarm('a', { occurrence: 2 })], [told('a', 'wang')])).toEqual([['wang', 0, ['a']]])
})

test('an alarm that stays unacknowledged goes one step further each time, counted from when it was told', () => {
  const routes = [
    route({
      escalate: [
        { after_min: 10, to: ['chief'] },
        { after_min: 30, to: ['director', 'chief'] },
      ],
    }),
  ]
  const known = [told('a', 'wang')]
  expect(due(routes, [alarm('a')], known, NOW + 9 * MINUTE_MS)).toEqual([])
  expect(due(routes, [alarm('a')], known, NOW + 10 * MINUTE_MS)).toEqual([['chief', 1, ['a']]])
  const then = [...known, told('a', 'chief', 1)]
  expect(due(routes, [alarm('a')], then, NOW + 31 * MINUTE_MS)).toEqual([
    ['director', 2, ['a']],
    ['chief', 2, ['a']],
  ])
  expect(due(routes, [alarm('a', { acknowledged: true })], known, NOW + 31 * MINUTE_MS)).toEqual([])
})

test('soon after a message only something more urgent follows, and never a second while one waits', () => {
  const high = { receiver: 'wang', step: 0, alarms: [alarm('a')] }
  const critical = { receiver: 'wang', step: 0, alarms: [alarm('a'), alarm('b', { priority: 'critical' })] }
  const before = { receiver: 'wang', step: 0, priority: 'high', state: 'sent' } as const
  expect(mayFollow(high, [])).toBe(true)
  expect(mayFollow(high, [before])).toBe(false)
  expect(mayFollow(critical, [before])).toBe(true)
  expect(mayFollow(critical, [{ ...before, state: 'waiting' }])).toBe(false)
  expect(mayFollow({ ...high, step: 1 }, [before])).toBe(true)
})

test('a thousand alarms are one text that a phone can show: the most urgent by name, the rest by number', () => {
  const alarms = Array.from({ length: 1000 }, (_, i) => alarm(`g${i}`, i === 700 ? { priority: 'critical', kind: 'level_guarantee' } : {}))
  const names = { areas: [], sites: [], structures: [] }
  const message = composeMessage({ receiver: 'wang', step: 1, alarms }, { id: 'm', at: NOW, names, language: 'zh', utcOffsetMin: 480 })
  expect(message.subject).toBe('【无人确认】[紧急] g700 超保证水位 等 1000 条告警')
  expect(message.text.split('\n')[1]).toBe('2026-06-01 20:00:00 [紧急] g700 超保证水位 2.30 m (限值 2.20)')
  expect(message.text).toContain('另有 985 条：超警戒水位 985')
  expect(message).toMatchObject({ total: 1000, priority: 'critical', areas: ['yichang'] })
  expect(JSON.stringify(message).length).toBeLessThan(32_000)
})
