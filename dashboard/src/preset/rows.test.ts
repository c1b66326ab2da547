import { expect, test } from 'vitest'
import type { ControlStatus, PastPreset, Preset } from '#contract/command.ts'
import type { CommandView } from '#contract/http/command.ts'
import { presetRows, standingPresets } from './rows.ts'

const preset = (at: number, opening_m = 0.5): Preset => ({ at, action: { kind: 'open', opening_m, leaf: null } })
const status = (presets: Preset[], { counter = 7, past = [] }: { counter?: number; past?: PastPreset[] } = {}): ControlStatus => ({
  v: 1,
  structure: 'yc-zh-03',
  t: 0,
  counter,
  time: 'trusted',
  mode: { kind: 'manual' },
  waiting: null,
  tag: null,
  presets,
  past,
})
const command = (action: CommandView['action'], state: CommandView['state'], counter = 7): CommandView => ({
  id: 'c',
  structure: 'yc-zh-03',
  area: 'yichang',
  action,
  state,
  reason: null,
  needs_second: false,
  by: 'wang',
  approved_by: null,
  order: null,
  counter,
  selected_at: 0,
  expires_at: 0,
  confirmed_at: 0,
  moving_at: null,
  updated_at: 0,
  report: null,
})
const schedule = (presets: Preset[], state: CommandView['state'] = 'done', counter = 7) =>
  command({ kind: 'schedule', presets }, state, counter)
const shown = (control: Parameters<typeof presetRows>[0], now = 100) =>
  presetRows(control, now).map((r) => [r.at, r.required, r.atSite.is === 'past' ? r.atSite.past.state : r.atSite.is])

test('what is ordered stands beside what the agent has, until the two agree', () => {
  const before = status([preset(200), preset(300)])
  const sent = schedule([preset(300), preset(400)], 'sent', 8)
  expect(shown({ status: before, schedule: sent })).toEqual([
    [200, 'cancelled', 'held'],
    [300, 'ordered', 'held'],
    [400, 'ordered', 'unconfirmed'],
  ])
  // Its report is here, its status is still on the way.
  const done = schedule([preset(300), preset(400)], 'done', 8)
  expect(shown({ status: before, schedule: done }).map((r) => r[2])).toEqual(['held', 'held', 'unconfirmed'])
  expect(shown({ status: status([preset(300), preset(400)], { counter: 8 }), schedule: done })).toEqual([
    [300, 'ordered', 'held'],
    [400, 'ordered', 'held'],
  ])
})

test('a preset that the agent has lost is named, and so is one that is due while nothing is heard of the site', () => {
  const ordered = schedule([preset(90), preset(200), preset(300)])
  expect(shown({ status: status([preset(90), preset(300)], { counter: 9 }), schedule: ordered })).toEqual([
    [90, 'ordered', 'due'],
    [200, 'ordered', 'missing'],
    [300, 'ordered', 'held'],
  ])
})

test('what came of each stands below, the latest first; what a stop cancelled is not missing', () => {
  const past: PastPreset[] = [
    { ...preset(50), t: 51, state: 'done', reason: null },
    { ...preset(60), t: 60, state: 'refused', reason: 'local' },
  ]
  const stop = command({ kind: 'stop' }, 'done', 8)
  expect(shown({ status: status([], { counter: 8, past }), schedule: stop })).toEqual([
    [60, 'over', 'refused'],
    [50, 'over', 'done'],
  ])
})

test('who adds or cancels one orders all that stand: with what was lost, without what is over or due', () => {
  const held = status([preset(90), preset(300)], { counter: 9 })
  const rows = presetRows({ status: held, schedule: schedule([preset(90), preset(200), preset(300)]) }, 100)
  expect(standingPresets(rows, 100).map((r) => r.at)).toEqual([200, 300])
})
