import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Consultation, ConsultationList } from '#contract/http/consultation.ts'
import type { Past, PastMarks } from '#contract/http/past.ts'
import type { Situation } from '#contract/http/situation.ts'
import { bad, good, type Reading } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import type { Sample } from '#history/port.ts'
import type { ConditionRow, JournalEntry } from '#registry/alarms.ts'
import { tempFolder } from '#test/support/servers.ts'
import type { App } from '../../../app.ts'
import { expectProblem } from '../../../testing/problem.ts'
import { cookieOf, NO_BROKER, openStores, type Stores, startApp } from '../../../testing/start-api.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** The moment that is looked at: two days ago. */
const T = Date.UTC(2026, 6, 1, 4)
const NOW = T + 48 * HOUR
const folder = tempFolder('api-past')
let stores: Stores
let app: App
const cookies: Record<string, string> = {}

const sample = (ms: number, gate: string, reading: Reading, metric = 'level_up'): Sample => {
  const t = unixMs(T + ms)
  return { gate, metric, t, received: t, reading }
}
const condition = (id: string, row: Partial<ConditionRow>): ConditionRow => ({
  ...{ id, kind: 'level_warning', area: 'yichang', site: 'yc-s012', gate: id.split(':')[1] ?? null, priority: 'high', phase: 'normal' },
  ...{
    since: null,
    clearSince: null,
    sampleAt: null,
    occurrence: 1,
    value: 2,
    limit: 2.2,
    suppressed: false,
    raisedAt: null,
    returnedAt: null,
  },
  ...row,
})
const entry = (alarm: string, event: JournalEntry['event'], ms: number, rest: Partial<JournalEntry> = {}): JournalEntry => ({
  ...{ alarm, area: 'yichang', occurrence: 1, event, at: T + ms, who: '', note: '', value: null },
  ...rest,
})

beforeAll(async () => {
  stores = await openStores(folder)
  const { registry, history } = stores
  const samples = [
    ...Array.from({ length: 120 }, (_, i) => sample(-HOUR + i * MINUTE, 'yc-zh-03', good(1 + i / 100))),
    sample(-40 * MINUTE, 'wl-zh-01', good(0.5), 'opening'),
    ...[-50, -45, -20].map((m) => sample(m * MINUTE, 'wl-zh-01', good(3))),
    ...[sample(-3 * MINUTE, 'yc-zh-04', good(1.5)), sample(-MINUTE, 'yc-zh-04', bad('timeout')), sample(-MINUTE, 'wl-zh-01', good(3))],
  ]
  expect(await history.write(samples, { rewrite: false })).toEqual({ kind: 'kept' })
  await registry.alarms.save(
    [
      condition('level_warning:yc-zh-03', { occurrence: 2, phase: 'active' }),
      condition('level_warning:wl-zh-01', { area: 'wulanbuhe', site: 'wl-s001' }),
      condition('site_lost:yc-s012', { kind: 'site_lost', gate: null }),
      condition('stale:yc-zh-04', { kind: 'stale' }),
      condition('level_low:yc-zh-04', { kind: 'level_low' }),
    ],
    [
      entry('level_warning:yc-zh-03', 'raised', -2 * HOUR, { value: 2.3 }),
      entry('level_warning:yc-zh-03', 'acknowledged', -HOUR, { who: 'wang' }),
      entry('level_warning:yc-zh-03', 'returned', 10 * MINUTE),
      entry('level_warning:yc-zh-03', 'raised', HOUR, { occurrence: 2 }),
      entry('level_warning:wl-zh-01', 'raised', -MINUTE, { area: 'wulanbuhe' }),
      entry('site_lost:yc-s012', 'raised', -5 * MINUTE),
      entry('site_lost:yc-s012', 'returned', 20 * MINUTE),
      entry('stale:yc-zh-04', 'raised', -6 * MINUTE),
      entry('level_low:yc-zh-04', 'raised', -4 * HOUR),
      entry('level_low:yc-zh-04', 'acknowledged', -3 * HOUR, { who: 'wang' }),
      entry('level_low:yc-zh-04', 'returned', -2 * HOUR),
    ],
  )
  const told = (action: string) => ({ at: T - HOUR, who: 'wang', action, subject: 'yc-zh-03', details: {} })
  await registry.control.lockOut(
    { id: 'tag', structure: 'yc-zh-03', reason: '检修', by: 'wang', byName: '王', at: T - HOUR, until: T + HOUR },
    told('lockout.tag'),
  )
  await registry.orders.add(
    {
      ...{ id: 'order', year: 2026, area: 'yichang', structure: 'yc-zh-03', state: 'draft', target: { kind: 'flow', flow_m3s: 5 } },
      ...{ reason: '灌水', effectiveAt: T, travelMs: 0, createdAt: T - HOUR },
      steps: [{ state: 'draft', at: T - HOUR, by: 'wang', byName: '王', note: '', readings: null }],
    },
    () => told('order.draft'),
  )
  ;({ app } = await startApp({ ...stores, mqttUrl: NO_BROKER, settings: { sign_in: { tries_per_minute: 1000 } }, now: () => NOW }))
  for (const login of ['chief', 'wang', 'nobody']) cookies[login] = await cookieOf(app, login)
})
afterAll(async () => {
  await app?.close()
  await stores?.close()
  rmSync(folder, { recursive: true, force: true })
})
const get = (url: string, login = 'chief') => app.inject({ url: `/api/v1${url}`, headers: { cookie: cookies[login] ?? '' } })
const past = async (query: string, login = 'chief'): Promise<Past> => (await get(`/past?${query}`, login)).json<Past>()

test('a moment of the past tells the last value of each metric with its time, and the last good one where that was bad', async () => {
  const { gates } = await past(`from=${T}&to=${T}&step_ms=1`)
  expect(Object.keys(gates).sort()).toEqual(['wl-zh-01', 'yc-zh-03', 'yc-zh-04'])
  expect(gates['yc-zh-03']?.metrics).toEqual({ level_up: { t: [T - MINUTE], v: [1.59] } })
  expect(gates['yc-zh-04']?.metrics).toEqual({
    level_up: { t: [T - MINUTE], v: [null], q: [1], good: { t: T - 3 * MINUTE, v: 1.5 } },
  })
  // Told each minute: the site's interval. The other came seldom then, its leaf once an hour.
  expect(gates['yc-zh-03']?.stale_after_ms).toBe(15_000)
  expect(gates['wl-zh-01']?.stale_after_ms).toBe(3 * HOUR)
})

test('a stretch tells the newest value of each of its steps', async () => {
  const { gates, from, to } = await past(`from=${T + 7}&to=${T + HOUR}&step_ms=${10 * MINUTE}`)
  expect([from, to]).toEqual([T, T + HOUR])
  expect(gates['yc-zh-03']?.metrics['level_up']?.v).toEqual([1.59, 1.69, 1.79, 1.89, 1.99, 2.09, 2.19])
})

test('alarms are told as they stood, with what happened to them since; a lost site explains its gates’ silence', async () => {
  const { alarms, events, out_of_contact } = await past(`from=${T}&to=${T + 30 * MINUTE}&step_ms=${MINUTE}`)
  const byId = new Map(alarms.map((a) => [a.id, a]))
  expect([...byId.keys()].sort()).toEqual(['level_warning:wl-zh-01', 'level_warning:yc-zh-03', 'site_lost:yc-s012', 'stale:yc-zh-04'])
  const acknowledged = { active: true, acknowledged: true, acknowledged_by: 'wang', raised_at: T - 2 * HOUR, occurrence: 1, value: 2.3 }
  expect(byId.get('level_warning:yc-zh-03')).toMatchObject(acknowledged)
  expect(byId.get('stale:yc-zh-04')).toMatchObject({ active: true, suppressed: true })
  expect(events.map((e) => [e.alarm, e.event])).toEqual([
    ['level_warning:yc-zh-03', 'returned'],
    ['site_lost:yc-s012', 'returned'],
  ])
  expect(out_of_contact).toEqual([{ site: 'yc-s012', since: T - 5 * MINUTE }])
})

test('orders and tags that were in force are told, with the times that they began and ended', async () => {
  const { orders, tags } = await past(`from=${T}&to=${T}&step_ms=1`)
  expect(orders).toMatchObject([{ id: 'order', number: 1, steps: [{ state: 'draft', at: T - HOUR }] }])
  expect(tags).toMatchObject([{ structure: 'yc-zh-03', reason: '检修', lifted_at: null }])
  expect((await past(`from=${T + 2 * HOUR}&to=${T + 2 * HOUR}&step_ms=1`)).tags).toEqual([])
})

test('a dispatcher of one area gets no past of another', async () => {
  const { gates, alarms } = await past(`from=${T}&to=${T}&step_ms=1`, 'wang')
  expect(Object.keys(gates).sort()).toEqual(['yc-zh-03', 'yc-zh-04'])
  expect(alarms.map((a) => a.area)).not.toContain('wulanbuhe')
  expect(await past(`from=${T}&to=${T}&step_ms=1`, 'nobody')).toMatchObject({ gates: {}, alarms: [], orders: [], tags: [] })
})

test('the time axis tells when alarms were raised, the most urgent of each step', async () => {
  const marks = async (login: string) =>
    (await get(`/past/marks?from=${T - 6 * HOUR}&to=${T + 6 * HOUR}&steps=12`, login)).json<PastMarks>().items
  expect((await marks('chief')).map((m) => [m.at - T, m.count, m.priority])).toEqual([
    [-4 * HOUR, 1, 'high'],
    [-2 * HOUR, 1, 'high'],
    [-6 * MINUTE, 3, 'high'],
    [HOUR, 1, 'high'],
  ])
  expect((await marks('wang')).map((m) => m.count)).toEqual([1, 1, 2, 1])
  expect(await marks('nobody')).toEqual([])
})

test.each([
  [`/past?from=${T}&to=${T - 1}&step_ms=1`, 'BAD_REQUEST'],
  [`/past?from=${T}&to=${NOW + 1}&step_ms=${HOUR}`, 'BAD_REQUEST'],
  [`/past?from=${T}&to=${T + HOUR}&step_ms=1000`, 'BAD_REQUEST'],
  [`/past/marks?from=${T}&to=${T - 1}`, 'BAD_REQUEST'],
  [`/situation?at=${NOW + 1}`, 'BAD_REQUEST'],
])('%s is refused', async (url, code) => {
  expectProblem(await get(url), 400, code)
})

test('the district’s totals are told as of a past moment too', async () => {
  const situation = (await get(`/situation?at=${T}`)).json<Situation>()
  expect(situation.at).toBe(T)
  expect(situation.today.from).toBe(T - 4 * HOUR)
})

test('a consultation keeps its time, views and conclusions, stands in the audit trail, and is opened again by who may see its area', async () => {
  const record = async (login: string, payload: object) =>
    app.inject({ method: 'POST', url: '/api/v1/consultations', headers: { cookie: cookies[login] ?? '' }, payload })
  const views = [{ name: '概化图', address: `/schematic?past=${T}` }]
  const payload = { title: '夜间水位', area: 'yichang', from: T, to: T + HOUR, views, conclusions: '二闸晚开 20 分钟' }
  const reply = await record('wang', payload)
  expect(reply.statusCode).toBe(201)
  const { id } = reply.json<Consultation>()
  expect((await get(`/consultations/${id}`, 'wang')).json()).toMatchObject({ ...payload, by: 'wang', at: NOW })
  expect((await get('/consultations')).json<ConsultationList>()).toMatchObject({ total: 1, items: [{ id }] })
  const trail = await stores.registry.audit.list({ action: 'consultation.record' }, { limit: 10, offset: 0 })
  expect(trail.items).toMatchObject([{ who: 'wang', subject: id, details: { conclusions: '二闸晚开 20 分钟', views } }])
  expectProblem(await record('wang', { ...payload, area: 'wulanbuhe' }), 403, 'NOT_ALLOWED')
  expectProblem(await record('wang', { ...payload, to: T - 1 }), 400, 'BAD_REQUEST')
  expectProblem(await record('wang', { ...payload, views: [{ name: 'x', address: '//elsewhere.example' }] }), 400, 'BAD_REQUEST')
  expectProblem(await record('nobody', payload), 403, 'NOT_ALLOWED')
  expectProblem(await get(`/consultations/${id}`, 'nobody'), 404, 'NOT_FOUND')
  expect((await get('/consultations', 'nobody')).json<ConsultationList>().items).toEqual([])
})
