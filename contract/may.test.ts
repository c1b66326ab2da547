import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Action, type Grant, may, ROLES, reaches, reachOf } from './may.ts'

const area = fc.constantFrom('yichang', 'jiefangzha', 'wulanbuhe')
const grant: fc.Arbitrary<Grant> = fc.record({ role: fc.constantFrom(...ROLES), area: fc.option(area) })
const action = fc.constantFrom<Action>('read', 'register', 'read_dead_letters')

test('a person without grants may do nothing anywhere', () => {
  fc.assert(
    fc.property(action, fc.option(area), (a, where) => {
      expect(may([], a, where)).toBe(false)
    }),
  )
})

test('more grants never take anything away', () => {
  fc.assert(
    fc.property(fc.array(grant), grant, action, fc.option(area), (grants, extra, a, where) => {
      if (may(grants, a, where)) expect(may([...grants, extra], a, where)).toBe(true)
    }),
  )
})

test('what is allowed in the whole district is allowed in every area', () => {
  fc.assert(
    fc.property(fc.array(grant), action, area, (grants, a, where) => {
      if (may(grants, a, null)) expect(may(grants, a, where)).toBe(true)
      expect(reaches(reachOf(grants, a), where)).toBe(may(grants, a, where))
    }),
  )
})

test('a grant for one area says nothing of another', () => {
  const grants: Grant[] = [{ role: 'admin', area: 'yichang' }]
  expect(may(grants, 'register', 'yichang')).toBe(true)
  expect(may(grants, 'register', 'wulanbuhe')).toBe(false)
  expect(may(grants, 'read', 'wulanbuhe')).toBe(false)
  expect(may(grants, 'read_dead_letters', null)).toBe(false)
})

test('every role reads; only engineers and administrators register and see dead letters', () => {
  for (const role of ROLES) {
    const grants: Grant[] = [{ role, area: null }]
    expect(may(grants, 'read', 'yichang')).toBe(true)
    const technical = role === 'engineer' || role === 'admin'
    expect(may(grants, 'register', 'yichang')).toBe(technical)
    expect(may(grants, 'read_dead_letters', null)).toBe(technical)
  }
})
