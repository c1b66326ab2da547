import { expect, test } from 'vitest'
import type { LockoutView } from '#contract/http/command.ts'
import type { Role } from '#contract/may.ts'
import { inForce, mayLift, withTags } from './in-force.ts'

const tag = (id: string, until: number): LockoutView => ({
  id,
  structure: 'yc-zh-03',
  reason: '检修',
  by: 'wang',
  by_name: '王',
  at: 0,
  until,
})

test('a tag ends at its time, and of two the other stays', () => {
  const both = withTags(new Map(), 'yc-zh-03', [tag('a', 100), tag('b', 200)])
  expect(inForce(both, 99)).toBe(both)
  expect(inForce(both, 100).get('yc-zh-03')).toEqual([tag('b', 200)])
  expect(inForce(both, 200).size).toBe(0)
  expect(withTags(both, 'yc-zh-03', []).size).toBe(0)
})

test('only who tagged a gate, or a supervisor of its area, is offered to lift the tag', () => {
  const who = (login: string, role: Role, area: string | null) => ({ login, grants: [{ role, area }] })
  expect(mayLift(who('wang', 'dispatcher', 'yichang'), tag('a', 1), 'yichang')).toBe(true)
  expect(mayLift(who('li', 'dispatcher', 'yichang'), tag('a', 1), 'yichang')).toBe(false)
  expect(mayLift(who('li', 'supervisor', 'yichang'), tag('a', 1), 'yichang')).toBe(true)
  expect(mayLift(who('li', 'supervisor', 'wulanbuhe'), tag('a', 1), 'yichang')).toBe(false)
  expect(mayLift(who('li', 'supervisor', null), tag('a', 1), 'yichang')).toBe(true)
  expect(mayLift(who('li', 'admin', null), tag('a', 1), 'yichang')).toBe(false)
  expect(mayLift(null, tag('a', 1), 'yichang')).toBe(false)
})
