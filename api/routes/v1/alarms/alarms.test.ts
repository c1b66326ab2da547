import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AlarmList, type AlarmView, type Figures, type JournalList, MOST_ACKNOWLEDGED } from '#contract/http/alarm.ts'
import type { NotificationList } from '#contract/http/notification.ts'
import type { ConditionRow } from '#registry/alarms.ts'
import { tempFolder } from '#test/support/servers.ts'
import type { App } from '../../../app.ts'
import { expectProblem } from '../../../testing/problem.ts'
import { cookieOf, NO_BROKER, openStores, type Stores, startApp } from '../../../testing/start-api.ts'

const NOW = 1_790_000_000_000
const folder = tempFolder('api-alarms')
let stores: Stores
let app: App
let now = NOW

const condition = (id: string, area: string | null, rest: Partial<ConditionRow> = {}): ConditionRow => ({
  ...{
    id,
    kind: 'level_warning',
    area,
    site: null,
    gate: id.split(':')[1] ?? null,
    priority: 'high',
    phase: 'active',
    since: NOW,
    clearSince: null,
  },
  ...{ sampleAt: NOW, occurrence: 1, value: 2.3, limit: 2.2, suppressed: false, raisedAt: NOW, returnedAt: null },
  ...rest,
})
const raised = (alarm: string, area: string | null, at = NOW) =>
  ({ alarm, area, occurrence: 1, event: 'raised', at, who: '', note: '', value: 2.3 }) as const

beforeAll(async () => {
  stores = await openStores(folder)
  ;({ app } = await startApp({ ...stores, mqttUrl: NO_BROKER, settings: { sign_in: { tries_per_minute: 1000 } }, now: () => now }))
  await stores.registry.alarms.save(
    [
      condition('level_warning:yc-zh-03', 'yichang'),
      condition('level_warning:yc-zh-04', 'yichang'),
      condition('level_warning:wl-zh-01', 'wulanbuhe'),
      condition('broker_lost:center', null, { kind: 'broker_lost', gate: null }),
    ],
    [raised('level_warning:yc-zh-03', 'yichang'), raised('level_warning:wl-zh-01', 'wulanbuhe')],
  )
})
afterAll(async () => {
  await app.close()
  await stores.close()
  rmSync(folder, { recursive: true, force: true })
})

const call = async (login: string, request: { method: 'GET' | 'POST' | 'PUT'; url: string; payload?: object }) =>
  app.inject({ ...request, url: `/api/v1${request.url}`, headers: { cookie: await cookieOf(app, login) } })
const list = async (login: string, query = ''): Promise<string[]> =>
  (await call(login, { method: 'GET', url: `/alarms${query}` }))
    .json<AlarmList>()
    .items.map((a) => a.id)
    .sort()

test('a dispatcher sees the alarms of the own area and those of the center', async () => {
  expect(await list('wang')).toEqual(['broker_lost:center', 'level_warning:yc-zh-03', 'level_warning:yc-zh-04'])
  expect(await list('chief', '?area=wulanbuhe')).toEqual(['level_warning:wl-zh-01'])
  expect(await list('nobody')).toEqual([])
})

test('an acknowledgement says who and when, stands in the journal, and is not for another area', async () => {
  const reply = await call('wang', { method: 'POST', url: '/alarms/level_warning:yc-zh-03/ack' })
  expect(reply.json<AlarmView>()).toMatchObject({ state: 'acknowledged', acknowledged_by: 'wang', acknowledged_at: NOW })
  const journal = await call('wang', { method: 'GET', url: '/alarms/journal?alarm=level_warning:yc-zh-03' })
  expect(journal.json<JournalList>().items.map((e) => [e.event, e.who])).toEqual([
    ['acknowledged', 'wang'],
    ['raised', ''],
  ])
  expect((await stores.registry.audit.list({ kind: 'alarm' }, { limit: 10, offset: 0 })).items).toMatchObject([
    { who: 'wang', action: 'alarm.acknowledge', subject: 'level_warning:yc-zh-03', details: { gate: 'yc-zh-03' } },
  ])
  expectProblem(await call('wang', { method: 'POST', url: '/alarms/level_warning:wl-zh-01/ack' }), 404, 'NOT_FOUND')
  expectProblem(await call('wang', { method: 'POST', url: '/alarms/broker_lost:center/ack' }), 403, 'NOT_ALLOWED')
})

test('the journal of a gate tells of it and of its site, as long as the person may see them', async () => {
  const at = NOW - 10 * 24 * 3_600_000
  await stores.registry.alarms.save([], [raised('site_lost:yc-s003', 'yichang', at), raised('site_lost:yc-s004', 'yichang', at)])
  const journal = async (login: string, query: string): Promise<string[]> =>
    (await call(login, { method: 'GET', url: `/alarms/journal?${query}&from=${at}&to=${NOW + 1}` }))
      .json<JournalList>()
      .items.filter((e) => e.event === 'raised')
      .map((e) => e.alarm)
  expect(await journal('wang', 'gate=yc-zh-03&site=yc-s003')).toEqual(['level_warning:yc-zh-03', 'site_lost:yc-s003'])
  expect(await journal('wang', 'gate=yc-zh-03&site=yc-s003&alarm=site_lost:yc-s004')).toEqual([])
  expect(await journal('wang', 'gate=wl-zh-01')).toEqual([])
  expect(await journal('chief', 'gate=wl-zh-01')).toEqual(['level_warning:wl-zh-01'])
})

test('all alarms of an area are acknowledged at once, and none of another', async () => {
  const reply = await call('wang', {
    method: 'POST',
    url: '/alarms/ack',
    payload: { ids: ['level_warning:yc-zh-04', 'level_warning:wl-zh-01'] },
  })
  expect(reply.json()).toEqual({ acknowledged: 1 })
  expect(await list('chief', '?state=unacknowledged')).toEqual(['broker_lost:center', 'level_warning:wl-zh-01'])
  expect((await call('chief', { method: 'POST', url: '/alarms/ack', payload: { area: 'wulanbuhe' } })).json()).toEqual({ acknowledged: 1 })
  expectProblem(await call('chief', { method: 'POST', url: '/alarms/ack', payload: {} }), 400, 'BAD_REQUEST')
})

test('a storm is acknowledged in one request, as many alarms as it may name', async () => {
  const storm = Array.from({ length: MOST_ACKNOWLEDGED }, (_, i) =>
    condition(`level_warning:yc-storm-gate-with-a-long-name-${i}`, 'yichang'),
  )
  await stores.registry.alarms.save(storm, [])
  const reply = await call('wang', { method: 'POST', url: '/alarms/ack', payload: { ids: storm.map((a) => a.id) } })
  expect(reply.json()).toEqual({ acknowledged: storm.length })
  await stores.registry.alarms.save(
    storm.map((a) => ({ ...a, phase: 'normal', since: null, returnedAt: NOW })),
    [],
  )
})

test('a shelved alarm says until when and why, and comes back by itself; without a reason none is shelved', async () => {
  const url = '/alarms/level_warning:yc-zh-04/shelve'
  expectProblem(await call('wang', { method: 'POST', url, payload: { minutes: 10, reason: ' ' } }), 400, 'BAD_REQUEST')
  const reply = await call('wang', { method: 'POST', url, payload: { minutes: 10, reason: '清淤' } })
  expect(reply.json<AlarmView>()).toMatchObject({
    state: 'shelved',
    shelved_until: NOW + 600_000,
    shelve_reason: '清淤',
    shelved_by: 'wang',
  })
  const journal = await call('wang', { method: 'GET', url: '/alarms/journal?alarm=level_warning:yc-zh-04' })
  expect(journal.json<JournalList>().items[0]).toMatchObject({ event: 'shelved', note: '清淤', until: NOW + 600_000 })
  now = NOW + 600_000
  expect(await list('wang', '?state=acknowledged')).toContain('level_warning:yc-zh-04')
  now = NOW
})

test('an engineer sets a rule, which is audited and no estimate any more; a dispatcher may not', async () => {
  const url = '/alarm-rules/level_warning:yc-zh-03'
  const payload = { enabled: true, priority: 'critical', limit: 2.5, deadband: 0.1, delay_on_ms: 0, delay_off_ms: 0, months: null }
  expectProblem(await call('wang', { method: 'PUT', url, payload }), 403, 'NOT_ALLOWED')
  expect((await call('engineer', { method: 'PUT', url, payload })).json()).toMatchObject({ limit: 2.5, estimate: false, gate: 'yc-zh-03' })
  const rules = (await call('wang', { method: 'GET', url: '/alarm-rules?gate=yc-zh-03' })).json<{
    items: { id: string; estimate: boolean }[]
  }>().items
  expect(rules.filter((r) => !r.estimate).map((r) => r.id)).toEqual(['level_warning:yc-zh-03'])
  expect((await stores.registry.audit.list({ action: 'alarm_rule.set' }, { limit: 10, offset: 0 })).total).toBe(1)
})

test('who was told of an area’s alarms is shown to those who see it, without the address; what tells of another area is not', async () => {
  const body = (id: string, areas: string[]) =>
    ({ id, step: 0, at: NOW, subject: id, text: '', total: 1, priority: 'high', areas, alarms: [] }) as const
  const put = (id: string, areas: string[]) =>
    stores.registry.notifications.put({
      receiver: '值班室',
      channel: 'email',
      body: { ...body(id, areas), areas, alarms: [] },
      alarms: [{ id, occurrence: 1 }],
    })
  await put('m1', ['yichang'])
  await put('m2', ['yichang', 'wulanbuhe'])
  const seen = async (login: string) =>
    (await call(login, { method: 'GET', url: '/notifications' })).json<NotificationList>().items.map((m) => [m.id, m.receiver, m.state])
  expect(await seen('wang')).toEqual([['m1', '值班室', 'waiting']])
  expect(await seen('chief')).toHaveLength(2)
  expect(await seen('nobody')).toEqual([])
  expect((await call('wang', { method: 'GET', url: '/notifications/plan' })).json()).toEqual({ plan: null })
})

test('more than ten alarms in ten minutes of an area are a flood', async () => {
  const at = NOW - (NOW % 600_000) - 600_000
  const entries = Array.from({ length: 11 }, (_, i) => raised(`level_low:x${i}`, 'yichang', at + i * 1000))
  await stores.registry.alarms.save([], entries)
  const figures = (await call('wang', { method: 'GET', url: '/alarms/figures' })).json<Figures>()
  expect(figures.ten_minutes).toContainEqual({ from: at, area: 'yichang', raised: 11, flood: true })
  expect(figures.ten_minutes.filter((b) => b.flood)).toHaveLength(1)
})
