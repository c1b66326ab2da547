import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CommissioningRecord } from '#contract/commissioning.ts'
import type { CommissioningList } from '#contract/http/commissioning.ts'
import { unixMs } from '#contract/units.ts'
import { tempFolder } from '#test/support/servers.ts'
import type { App } from '../../../app.ts'
import { expectProblem } from '../../../testing/problem.ts'
import { cookieOf, NO_BROKER, openStores, type Stores, startApp } from '../../../testing/start-api.ts'

const folder = tempFolder('api-commissioning')
let stores: Stores
let app: App
beforeAll(async () => {
  stores = await openStores(folder)
  app = (await startApp({ ...stores, mqttUrl: NO_BROKER, settings: { sign_in: { tries_per_minute: 1000 } } })).app
})
afterAll(async () => {
  await app.close()
  await stores.close()
  rmSync(folder, { recursive: true, force: true })
})

const record = (id: string, at: number): CommissioningRecord => ({
  id: `00000000-0000-4000-8000-00000000000${id}`,
  structure: 'yc-zh-03',
  at,
  by: '王工',
  note: '',
  profile: 'sluice-gate-rtu',
  agent_version: '0.1.0',
  readings: { level_up: 1.234 },
  gauges: [{ metric: 'level_up', gauge: 1.24, read: 1.234 }],
  strokes: [],
})

test('what was signed at a site is shown to who may see its area, the last first, and a record told twice is there once', async () => {
  const node = { group: 'yichang', node: 'yc-s012' }
  for (const r of [record('1', 1000), record('2', 2000), record('1', 1000)]) await stores.registry.commissioning.add(node, r, unixMs(5000))
  const url = '/api/v1/sites/yc-s012/commissioning'
  expectProblem(await app.inject({ url }), 401, 'NOT_SIGNED_IN')
  const reply = await app.inject({ url, headers: { cookie: await cookieOf(app, 'wang') } })
  const list = reply.json<CommissioningList>()
  expect(list.total).toBe(2)
  expect(list.items.map((i) => i.record.at)).toEqual([2000, 1000])
  expect(list.items[1]).toEqual({ record: record('1', 1000), received_at: 5000 })
})

test('a site that is not there is said to be none', async () => {
  const cookie = await cookieOf(app, 'wang')
  expectProblem(await app.inject({ url: '/api/v1/sites/nowhere/commissioning', headers: { cookie } }), 404, 'NOT_FOUND')
})
