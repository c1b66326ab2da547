import { expect, test } from 'vitest'
import { reachOf } from './reach.ts'

test('a canal takes water in at its head gate and gives it to the canals that it feeds, its offtakes and its tail', () => {
  const canals = [
    { id: 'main', parent: null },
    { id: 'branch', parent: 'main' },
    { id: 'other', parent: null },
  ]
  const gates = [
    { id: 'head', canal: 'main', type: 'head' as const, chainage_km: 0 },
    { id: 'check', canal: 'main', type: 'regulator' as const, chainage_km: 5 },
    { id: 'off', canal: 'main', type: 'offtake' as const, chainage_km: 7 },
    { id: 'tail', canal: 'main', type: 'tail' as const, chainage_km: 9 },
    { id: 'branch-head', canal: 'branch', type: 'head' as const, chainage_km: 0 },
    { id: 'branch-check', canal: 'branch', type: 'regulator' as const, chainage_km: 1 },
    { id: 'other-head', canal: 'other', type: 'head' as const, chainage_km: 0 },
  ]
  expect(reachOf('main', gates, canals)).toEqual({ in: ['head'], out: ['tail'], offtakes: ['off', 'branch-head'] })
})
