import { expect, test } from 'vitest'
import { boundsOf, canalLines, gatePoints } from './geography.ts'

const gate = (id: string, canal: string, chainage_km: number, lon: number, lat: number) => ({ id, canal, chainage_km, lon, lat })
const canal = (id: string, parent: string | null, km: number | null) => ({ id, parent, parent_chainage_km: km, design_flow_m3s: 20 })
const gates = [
  gate('b', 'main', 10, 108, 41),
  gate('a', 'main', 0, 107, 40),
  gate('c', 'branch', 3, 107.5, 41),
  gate('d', 'lone', 0, 109, 39),
]

test('a canal is a line through its structures by chainage, and a branch leaves its parent where it does in the field', () => {
  const lines = canalLines([canal('main', null, null), canal('branch', 'main', 5), canal('lone', null, null)], gates)
  expect(lines.features.map((f) => f.geometry.coordinates)).toEqual([
    [
      [107, 40],
      [108, 41],
    ],
    [
      [107.5, 40.5],
      [107.5, 41],
    ],
  ])
})

test('a branch beyond the last structure of its parent leaves at that one', () => {
  const [, branch] = canalLines([canal('main', null, null), canal('branch', 'main', 40)], gates).features
  expect(branch?.geometry.coordinates[0]).toEqual([108, 41])
})

test('each structure is a point with its mark, and the whole district is in sight', () => {
  const points = gatePoints(gates, (id) => ({ mark: `normal-${id}`, label: id, rank: 1 }))
  expect(points.features[1]).toMatchObject({ properties: { id: 'a', mark: 'normal-a' }, geometry: { coordinates: [107, 40] } })
  expect(boundsOf(gates)).toEqual([
    [107, 39],
    [109, 41],
  ])
  expect(boundsOf([])).toBeUndefined()
})
