import { expect, test } from 'vitest'
import { eventsOf, spanOf } from './events.ts'

const beijing = (text: string): number => Date.parse(`${text}+08:00`)

test('last night is from six in the evening to eight in the morning, and before eight the one that still lasts', () => {
  const night = { from: beijing('2026-11-25T18:00:00'), to: beijing('2026-11-26T08:00:00') }
  expect(spanOf('night', beijing('2026-11-26T14:20:00'))).toEqual(night)
  expect(spanOf('night', beijing('2026-11-26T08:00:00'))).toEqual(night)
  // From six in the evening on it is the night that begins.
  expect(spanOf('night', beijing('2026-11-26T17:59:59'))).toEqual(night)
  const now = beijing('2026-11-26T02:10:00')
  expect(spanOf('night', now)).toEqual({ from: night.from, to: now })
})

test('alarms of the gate and of its site, commands and log entries stand in one list, the newest first', () => {
  const at = (hour: number): number => beijing(`2026-11-25T${hour}:00:00`)
  const journal = (id: number, alarm: string, hour: number) =>
    ({ id, alarm, area: 'zg', occurrence: 1, event: 'raised', at: at(hour), who: '', note: '', value: null, until: null }) as const
  const command = (id: string, hour: number) => ({
    id,
    structure: 'zg-zg-02',
    area: 'zg',
    action: { kind: 'open', opening_m: 1.2, leaf: null } as const,
    state: 'done' as const,
    reason: null,
    needs_second: false,
    by: 'wang',
    approved_by: null,
    order: null,
    counter: 1,
    selected_at: at(hour),
    expires_at: at(hour),
    confirmed_at: null,
    moving_at: null,
    updated_at: at(hour),
    report: null,
  })
  const entry = {
    id: 7,
    at: at(21),
    by: 'wang',
    by_name: '王',
    area: 'zg',
    gate: 'zg-zg-02',
    alarm: null,
    text: '二闸清草',
    amends: null,
    open: false,
    closed_at: null,
    closed_by: null,
  }
  const events = eventsOf(
    {
      journal: [journal(2, 'site_lost:zg-s002', 22), journal(1, 'level_warning:zg-zg-02', 20)],
      commands: [command('c2', 23), command('c1', 17)],
      entries: [entry],
    },
    { span: { from: at(18), to: at(23) + 1 }, gate: 'zg-zg-02' },
  )
  expect(events.map((e) => e.key)).toEqual(['command c2', 'alarm 2', 'entry 7', 'alarm 1'])
  expect(events.map((e) => (e.kind === 'alarm' ? [e.alarm, e.isOfSite] : []))).toEqual([
    [],
    ['site_lost', true],
    [],
    ['level_warning', false],
  ])
})
