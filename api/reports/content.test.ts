import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Canal } from '#contract/district.ts'
import { HETAO_CALENDAR } from '#contract/periods.ts'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { tempFolder } from '#test/support/servers.ts'
import { DISTRICT, structure } from '../testing/district.ts'
import { openStores, type Stores } from '../testing/start-api.ts'
import { reportOf } from './content.ts'

const folder = tempFolder('report')
let stores: Stores
beforeAll(async () => {
  stores = await openStores(folder)
})
afterAll(async () => {
  await stores.close()
  rmSync(folder, { recursive: true, force: true })
})

// 2026-07-01 08:00 in Asia/Shanghai.
const D0 = Date.UTC(2026, 6, 1)

test('an area’s total is of the canals that first take water, also below a river on which nothing is counted, and of no branch of them', async () => {
  const area = 'yichang'
  const canal = (id: string, parent: string | null): Canal => ({
    id,
    name: { zh: id, en: id },
    area,
    parent,
    parent_chainage_km: null,
    length_km: null,
    design_flow_m3s: null,
  })
  const gate = (id: string, on: string, type: 'regulator' | 'head' | 'offtake') => ({
    ...structure(id, { area, canal: on, site: 's' }),
    type,
  })
  const place = {
    areas: DISTRICT.areas.filter((a) => a.id === area),
    canals: [canal('river', null), canal('south', 'river'), canal('branch', 'south')],
    structures: [gate('barrage', 'river', 'regulator'), gate('south-head', 'south', 'head'), gate('branch-head', 'branch', 'offtake')],
  }
  const flows = { barrage: 100, 'south-head': 10, 'branch-head': 3 }
  const steps = Array.from({ length: 24 * 12 + 1 }, (_, i) => unixMs(D0 + i * 300_000))
  const samples = Object.entries(flows).flatMap(([id, value]) =>
    steps.map((t) => ({ gate: id, metric: 'flow', t, received: t, reading: good(value) })),
  )
  expect(await stores.history.write(samples, { rewrite: true })).toEqual({ kind: 'kept' })
  const content = await reportOf(
    { history: stores.history, correctionsOf: async () => [] },
    place,
    { kind: 'day', at: D0, area, now: D0 + 40 * 3_600_000 },
    { calendar: HETAO_CALENDAR, longest_bridged_min: 60, flow_uncertainty: 0.05 },
  )
  expect(content.areas).toMatchObject([
    {
      volume_m3: expect.closeTo(864_000, 3),
      plus_minus_m3: expect.closeTo(43_200, 3),
      completeness: 1,
      canals: [
        { id: 'river', head: true, volume_m3: null },
        { id: 'south', head: true, volume_m3: expect.closeTo(864_000, 3) },
        { id: 'branch', head: false, volume_m3: expect.closeTo(3 * 86_400, 3) },
      ],
    },
  ])
})
