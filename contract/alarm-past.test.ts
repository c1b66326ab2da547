import { expect, test } from 'vitest'
import { type Alarm, alarmState } from './alarm.ts'
import { type AlarmEvent, afterEvent, untold, withSuppression } from './alarm-past.ts'

const blank = untold({ id: 'level_warning:g', kind: 'level_warning', area: 'a', site: 's', gate: 'g', priority: 'high', limit: 2 })
const event = (what: AlarmEvent['event'], at: number, rest: Partial<AlarmEvent> = {}): AlarmEvent => ({
  ...{ alarm: blank.id, occurrence: 1, event: what, at, who: 'wang', note: '', value: null, until: null },
  ...rest,
})
const stateAfter = (...events: AlarmEvent[]): string => alarmState(events.reduce(afterEvent, blank), 100)

test('an alarm of the past stands as its journal says', () => {
  expect(stateAfter()).toBe('normal')
  expect(stateAfter(event('raised', 1))).toBe('unacknowledged')
  expect(stateAfter(event('raised', 1), event('returned', 2))).toBe('returned')
  expect(stateAfter(event('raised', 1), event('acknowledged', 2))).toBe('acknowledged')
  expect(stateAfter(event('raised', 1), event('acknowledged', 2), event('returned', 3))).toBe('normal')
  expect(stateAfter(event('raised', 1), event('shelved', 2, { until: 200 }))).toBe('shelved')
  expect(stateAfter(event('raised', 1), event('shelved', 2, { until: 50 }))).toBe('unacknowledged')
  expect(stateAfter(event('raised', 1), event('shelved', 2, { until: 200 }), event('unshelved', 3))).toBe('unacknowledged')
  expect(stateAfter(event('raised', 1), event('out_of_service', 2), event('commented', 3))).toBe('out_of_service')
  expect(stateAfter(event('raised', 1), event('out_of_service', 2), event('in_service', 3))).toBe('unacknowledged')
})

test('an acknowledgement of an earlier occurrence is none of the next', () => {
  expect(stateAfter(event('raised', 1), event('acknowledged', 2), event('returned', 3), event('raised', 4, { occurrence: 2 }))).toBe(
    'unacknowledged',
  )
})

test('the silence of a gate is suppressed for as long as its site is lost', () => {
  const silent: Alarm = { ...blank, id: 'stale:g', kind: 'stale', active: true }
  const site: Alarm = { ...blank, id: 'site_lost:s', kind: 'site_lost', gate: null, active: true }
  const suppressed = (...all: Alarm[]): boolean | undefined =>
    withSuppression(new Map(all.map((a) => [a.id, a]))).find((a) => a.id === silent.id)?.suppressed
  expect(suppressed(silent)).toBe(false)
  expect(suppressed(silent, site)).toBe(true)
  expect(suppressed(silent, { ...site, active: false })).toBe(false)
})
