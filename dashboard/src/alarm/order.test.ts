import { expect, test } from 'vitest'
import type { Alarm } from '#contract/alarm.ts'
import { countByPriority, inHeldOrder, inOrder, matching, worstOfEachGate } from './order.ts'

const alarm = (id: string, rest: Partial<Alarm> = {}): Alarm => ({
  ...{ id, kind: 'level_warning', area: 'yichang', site: 's', gate: 'g', priority: 'high', active: true, acknowledged: false },
  ...{ suppressed: false, occurrence: 1, raised_at: 1000, returned_at: null, value: 2, limit: 1, acknowledged_by: null },
  ...{ acknowledged_at: null, shelved_until: null, shelved_by: null, shelve_reason: null, out_of_service: false, rev: 1 },
  ...rest,
})

test('unacknowledged alarms stand first, the most urgent before the newest; what is normal is not listed', () => {
  const shown = inOrder(
    [
      alarm('acknowledged', { acknowledged: true, priority: 'critical' }),
      alarm('low', { priority: 'low', raised_at: 9000 }),
      alarm('older'),
      alarm('newer', { raised_at: 2000 }),
      alarm('shelved', { shelved_until: 6000, priority: 'critical' }),
      alarm('over', { active: false, acknowledged: true }),
      alarm('returned', { active: false, priority: 'critical' }),
    ],
    5000,
  )
  expect(shown.map((s) => s.alarm.id)).toEqual(['newer', 'older', 'low', 'returned', 'acknowledged', 'shelved'])
  expect(countByPriority(shown)).toEqual({ critical: 1, high: 2, medium: 0, low: 1 })
})

test('a shelved alarm comes back when its time is over', () => {
  const shelved = [alarm('a', { shelved_until: 6000 })]
  expect(inOrder(shelved, 5999)[0]?.state).toBe('shelved')
  expect(inOrder(shelved, 6000)[0]?.state).toBe('unacknowledged')
})

test('a gate is marked with its most urgent alarm, acknowledged or not, but not with one that is shelved or over', () => {
  const shown = inOrder(
    [
      alarm('warning', { gate: 'g1' }),
      alarm('guarantee', { gate: 'g1', priority: 'critical', acknowledged: true }),
      alarm('shelved', { gate: 'g2', shelved_until: 6000 }),
      alarm('returned', { gate: 'g3', active: false }),
      alarm('site', { gate: null }),
    ],
    5000,
  )
  expect([...worstOfEachGate(shown)].map(([gate, { id }]) => [gate, id])).toEqual([['g1', 'guarantee']])
})

test('the list is found by site as well as by gate: a storm of one site is one word', () => {
  const shown = inOrder([alarm('level_warning:g1', { site: 'yc-s012' }), alarm('level_warning:g2', { site: 'yc-s013' })], 5000)
  const found = (words: string) =>
    matching(shown, { words, area: '', priority: '', state: '' }, ({ id }) => (id.endsWith('1') ? '永济一闸 超警戒水位' : '永济二闸')).map(
      (s) => s.alarm.id,
    )
  expect(found('YC-S012 ')).toEqual(['level_warning:g1'])
  expect(found('二闸')).toEqual(['level_warning:g2'])
  expect(found('')).toHaveLength(2)
  expect(matching(shown, { words: '', area: 'wulanbuhe', priority: '', state: '' }, () => '')).toEqual([])
})

test('under the hand each alarm keeps its row and tells what has become of it; what is new stands below', () => {
  const held = inOrder([alarm('first', { raised_at: 3000 }), alarm('second', { raised_at: 2000 }), alarm('third')], 5000)
  const shown = inOrder([alarm('new', { raised_at: 9000 }), alarm('third'), alarm('second', { acknowledged: true, raised_at: 2000 })], 9500)
  const { rows, below } = inHeldOrder(held, { listed: shown, shown })
  expect(rows.map((r) => [r.alarm.id, r.state])).toEqual([
    ['first', 'normal'],
    ['second', 'acknowledged'],
    ['third', 'unacknowledged'],
    ['new', 'unacknowledged'],
  ])
  expect(below).toBe(1)
  // The filter no longer lists what has just been acknowledged; its row stays until the hand has gone.
  expect(inHeldOrder(held, { listed: [], shown }).rows).toHaveLength(3)
})
