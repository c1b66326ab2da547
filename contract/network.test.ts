import { expect, test } from 'vitest'
import type { Canal, Structure, StructureType } from './district.ts'
import { intakesOf, reachesOf } from './network.ts'

const canal = (id: string, parent: string | null, at: number | null = null): Pick<Canal, 'id' | 'parent' | 'parent_chainage_km'> => ({
  ...{ id, parent, parent_chainage_km: at },
})
const gate = (id: string, on: string, place: { type: StructureType; at: number; design?: number }) =>
  ({ id, canal: on, type: place.type, chainage_km: place.at, design_flow_m3s: place.design ?? 10 }) satisfies Partial<Structure>

const canals = [canal('river', null), canal('main', 'river', 0), canal('own', 'river', 0), canal('a', 'main', 10), canal('b', 'main', 20)]
const gates = [
  gate('barrage', 'river', { type: 'regulator', at: 0 }),
  gate('own-head', 'own', { type: 'head', at: 0, design: 60 }),
  gate('main-head', 'main', { type: 'head', at: 0, design: 565 }),
  gate('spill', 'main', { type: 'spillway', at: 3 }),
  gate('check-1', 'main', { type: 'regulator', at: 10 }),
  gate('check-2', 'main', { type: 'tail', at: 25 }),
  gate('a-head', 'a', { type: 'head', at: 0 }),
  gate('b-head', 'b', { type: 'offtake', at: 0 }),
]

test('water enters by the heads of canals that a river feeds, the largest first, and by no gate in the river itself', () => {
  expect(intakesOf(canals, gates).map((s) => s.id)).toEqual(['main-head', 'own-head'])
})

test('a reach lies between two gates across the canal; a branch at the lower one leaves above it', () => {
  const reaches = reachesOf(canals, gates).map((r) => [r.up.id, r.down.id, r.offtakes.map((s) => s.id)])
  expect(reaches).toEqual([
    ['main-head', 'check-1', ['spill', 'a-head']],
    ['check-1', 'check-2', ['b-head']],
  ])
})
