import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BalanceReply, CompareReply, VolumeReply } from '#contract/http/volume.ts'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import type { Sample } from '#history/port.ts'
import { tempFolder } from '#test/support/servers.ts'
import type { App } from '../../../app.ts'
import { expectProblem } from '../../../testing/problem.ts'
import { cookieOf, NO_BROKER, openStores, type Stores, startApp } from '../../../testing/start-api.ts'

const DAY = 86_400_000
const MINUTE = 60_000
/** 08:00 in Beijing. */
const D0 = Date.parse('2026-07-01T00:00:00Z')
const folder = tempFolder('volumes')
let stores: Stores
let app: App
let chief: string
let wang: string

/** A value every five minutes of three water days. */
const series = (gate: string, metric: string, value: (day: number) => number): Sample[] =>
  Array.from({ length: 3 * 288 + 1 }, (_, i) => {
    const t = unixMs(D0 + i * 5 * MINUTE)
    return { gate, metric, t, received: t, reading: good(value(i / 288)) }
  })

beforeAll(async () => {
  stores = await openStores(folder)
  app = (await startApp({ ...stores, mqttUrl: NO_BROKER })).app
  const samples = [
    ...series('yc-zh-03', 'flow', () => 10),
    ...series('yc-zh-04', 'flow', () => 4),
    ...series('wl-zh-01', 'flow', () => 5).filter((s) => s.t <= D0 + DAY + 18 * 3_600_000),
    ...series('yc-zh-03', 'level_up', (day) => 1 + Math.floor(day) * 0.1),
  ]
  expect(await stores.history.write(samples, { rewrite: false })).toEqual({ kind: 'kept' })
  chief = await cookieOf(app, 'chief')
  wang = await cookieOf(app, 'wang')
})
afterAll(async () => {
  await app.close()
  await stores.close()
  rmSync(folder, { recursive: true, force: true })
})
const get = (url: string, cookie = chief) => app.inject({ url: `/api/v1${url}`, headers: { cookie } })
const span = `from=${D0}&to=${D0 + 3 * DAY}`

test('a water day of 10 m³/s is 10 flow-days, complete, and certain to the share that the flow is', async () => {
  const reply = await get(`/gates/yc-zh-03/volume?${span}&step=day`)
  const { periods, ...rest } = reply.json<VolumeReply>()
  expect(rest).toEqual({ gate: 'yc-zh-03', metric: 'flow', step: 'day' })
  expect(periods.map((p) => p.key)).toEqual(['2026-07-01', '2026-07-02', '2026-07-03'])
  expect(periods[1]).toMatchObject({ completeness: 1, estimated_share: 0, bad_share: 0, samples: 288, mean_flow_m3s: 10, corrected: false })
  expect(periods[1]?.volume_m3).toBeCloseTo(864_000, 6)
  expect(periods[1]?.flow_days).toBeCloseTo(10, 9)
  expect(periods[1]?.volume_wan_m3).toBeCloseTo(86.4, 9)
  expect(periods[1]?.plus_minus_m3).toBeCloseTo(43_200, 6)
})

test('a month is cut at the span that is asked for, so that its completeness is of that', async () => {
  const { periods } = (await get(`/gates/yc-zh-03/volume?from=${D0 + DAY}&to=${D0 + 2 * DAY}&step=month`)).json<VolumeReply>()
  expect(periods).toMatchObject([{ key: '2026-07', from: D0 + DAY, to: D0 + 2 * DAY, completeness: 1 }])
})

test('all gates by the day in one call are those that the person may see; what is missing is missing', async () => {
  const all = (await get(`/gates/compare?${span}&step=day`)).json<CompareReply>()
  expect(Object.keys(all.gates).toSorted()).toEqual(['wl-zh-01', 'yc-zh-03', 'yc-zh-04'])
  expect(all.gates['wl-zh-01']?.completeness.map((c) => Math.round(c * 100) / 100)).toEqual([1, 0.75, 0])
  expect(all.gates['wl-zh-01']?.volume_m3?.map((v) => v && Math.round(v))).toEqual([432_000, 324_000, null])
  const mine = (await get(`/gates/compare?${span}&step=day`, wang)).json<CompareReply>()
  expect(Object.keys(mine.gates).toSorted()).toEqual(['yc-zh-03', 'yc-zh-04'])
  const levels = (await get(`/gates/compare?${span}&metric=level_up&gates=yc-zh-03`)).json<CompareReply>()
  expect(levels.gates['yc-zh-03']).not.toHaveProperty('volume_m3')
  expect(levels.gates['yc-zh-03']?.last).toEqual([1, 1.1, 1.2])
})

test('what a reach loses is what came in less what went out and what it stores more', async () => {
  const url = `/balance?${span}&step=day&in=yc-zh-03&out=yc-zh-04&offtakes=wl-zh-01&level_gate=yc-zh-03&surface_m2=100000`
  const { periods } = (await get(url)).json<BalanceReply>()
  expect(periods[0]).toMatchObject({ storage: { volume_m3: null }, loss_m3: null })
  const [, second, third] = periods
  expect(second?.storage?.volume_m3).toBeCloseTo(10_000, 3)
  expect(second?.loss_m3).toBeCloseTo(864_000 - 345_600 - 324_000 - 10_000, 0)
  expect(second?.completeness).toBeCloseTo(0.75, 2)
  expect(second?.loss_plus_minus_m3).toBeGreaterThan(43_200)
  expect(third?.loss_m3).toBeNull()
})

test.each([
  [`/gates/yc-zh-03/volume?from=${D0}&to=${D0}`, 400, 'BAD_REQUEST'],
  [`/gates/yc-zh-03/volume?${span}&metric=level_up`, 400, 'BAD_REQUEST'],
  [`/gates/yc-zh-03/volume?${span}&step=week`, 400, 'BAD_REQUEST'],
  [`/gates/compare?from=0&to=${19 * 366 * DAY}&step=hour&metric=flow`, 400, 'BAD_REQUEST'],
  [`/gates/compare?${span}&gates=,`, 400, 'BAD_REQUEST'],
  [`/gates/compare?${span}&gates=nowhere`, 404, 'NOT_FOUND'],
  [`/balance?${span}&in=yc-zh-03&metric=door`, 400, 'BAD_REQUEST'],
])('%s is refused with %i', async (url, status, code) => {
  expectProblem(await get(url), status, code)
})

test('a dispatcher of one area gets no volume of another', async () => {
  expectProblem(await get(`/gates/wl-zh-01/volume?${span}`, wang), 403, 'NOT_ALLOWED')
  expectProblem(await get(`/gates/compare?${span}&gates=wl-zh-01`, wang), 403, 'NOT_ALLOWED')
})
