import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Fault } from '#contract/fault.ts'
import type { AuditList } from '#contract/http/audit.ts'
import type { DeadLetterList, GateList, HistoryReply } from '#contract/http.ts'
import { bad, good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import type { History } from '#history/port.ts'
import { hashOf } from '#registry/audit.ts'
import type { Registry } from '#registry/port.ts'
import { tempFolder } from '#test/support/servers.ts'
import type { App } from '../../app.ts'
import { ensurePerson } from '../../auth/ensure-person.ts'
import { structure } from '../../testing/district.ts'
import { expectProblem, type Reply } from '../../testing/problem.ts'
import { type AuditEntry, cookieOf, NO_BROKER, openStores, PASSWORD, type Stores, startApp } from '../../testing/start-api.ts'

const T0 = 1_790_000_000_000

const folder = tempFolder('api')
let stores: Stores
let registry: Registry
let history: History
let app: App
let audited: AuditEntry[]

beforeAll(async () => {
  stores = await openStores(folder)
  registry = stores.registry
  history = stores.history
  const started = await startApp({ ...stores, mqttUrl: NO_BROKER, settings: { sign_in: { tries_per_minute: 1000 } } })
  app = started.app
  audited = started.audited
})
afterAll(async () => {
  await app.close()
  await stores.close()
  rmSync(folder, { recursive: true, force: true })
})

const get = async (url: string, cookie?: string) => app.inject({ url, headers: cookie === undefined ? {} : { cookie } })

describe('the district', () => {
  const ids = (reply: Reply): string[] => reply.json<GateList>().items.map((i) => i.id)

  test.each([
    '/areas',
    '/canals',
    '/sites',
    '/sites/yc-s012',
    '/gates',
    '/gates/yc-zh-03',
    '/gates/yc-zh-03/history?metrics=flow&from=0&to=1',
    '/dead-letters',
    '/session',
  ])('GET %s is for who is signed in', async (path) => expectProblem(await get(`/api/v1${path}`), 401, 'NOT_SIGNED_IN'))

  test('a dispatcher of one area sees that area’s alone', async () => {
    const cookie = await cookieOf(app, 'wang')
    expect(ids(await get('/api/v1/areas', cookie))).toEqual(['yichang'])
    expect(ids(await get('/api/v1/canals', cookie))).toEqual(['yc-main'])
    expect(ids(await get('/api/v1/sites', cookie))).toEqual(['yc-s012'])
    expect(ids(await get('/api/v1/gates', cookie)).sort()).toEqual(['yc-zh-03', 'yc-zh-04'])
    expect(ids(await get('/api/v1/gates?area=wulanbuhe', cookie))).toEqual([])
    expectProblem(await get('/api/v1/gates/wl-zh-01', cookie), 403, 'NOT_ALLOWED')
    expectProblem(await get('/api/v1/sites/wl-s001', cookie), 403, 'NOT_ALLOWED')
    expectProblem(await get('/api/v1/sites/none', cookie), 404, 'NOT_FOUND')
    expect((await get('/api/v1/sites/yc-s012', cookie)).json()).toMatchObject({ id: 'yc-s012', state: null })
    expectProblem(await get('/api/v1/gates/wl-zh-01/history?metrics=flow&from=0&to=1', cookie), 403, 'NOT_ALLOWED')
    const nobody = await cookieOf(app, 'nobody')
    expect((await get('/api/v1/gates', nobody)).json()).toEqual({ items: [], total: 0, limit: 200, offset: 0 })
  })

  test('lists page', async () => {
    const cookie = await cookieOf(app, 'chief')
    const first = (await get('/api/v1/gates?limit=2', cookie)).json<GateList>()
    const second = (await get('/api/v1/gates?limit=2&offset=2', cookie)).json<GateList>()
    expect(first).toMatchObject({ total: 3, limit: 2, offset: 0 })
    expect([...first.items, ...second.items].map((g) => g.id).sort()).toEqual(['wl-zh-01', 'yc-zh-03', 'yc-zh-04'])
    expectProblem(await get('/api/v1/gates?limit=0', cookie), 400, 'BAD_REQUEST')
    expectProblem(await get('/api/v1/gates?offset=-1', cookie), 400, 'BAD_REQUEST')
  })

  test('a gate tells when its values are stale, and null where nothing has come', async () => {
    const cookie = await cookieOf(app, 'wang')
    const gate = (await get('/api/v1/gates/yc-zh-03', cookie)).json()
    expect(gate).toMatchObject({ id: 'yc-zh-03', leaves: 2, stale_after_ms: 15_000, state: null, name: { zh: '试验闸' } })
    expectProblem(await get('/api/v1/gates/yc-zh-99', cookie), 404, 'NOT_FOUND')
  })

  test('an engineer registers a site and a gate in the own area, which is audited; what is wrong is named', async () => {
    const cookie = await cookieOf(app, 'engineer')
    const post = (path: string, payload: object, by = cookie) =>
      app.inject({ method: 'POST', url: `/api/v1${path}`, payload, headers: { cookie: by } })
    const site = { id: 'yc-s099', name: { zh: '新站', en: 'New' }, area: 'yichang', station: '供水所' }
    const added = await post('/sites', site)
    expect(added.statusCode).toBe(201)
    expect(added.json()).toEqual({ ...site, report_interval_ms: 60_000 })
    expect(audited.at(-1)).toMatchObject({ who: 'engineer', action: 'site.add', subject: 'yc-s099' })
    expectProblem(await post('/sites', site), 409, 'CONFLICT')
    expectProblem(await post('/sites', { ...site, id: 'wl-s099', area: 'wulanbuhe' }), 403, 'NOT_ALLOWED')
    expectProblem(await post('/sites', { ...site, id: 'a/b' }), 400, 'BAD_REQUEST')
    expectProblem(await post('/sites', { ...site, id: 'x', nonsense: 1 }), 400, 'BAD_REQUEST')
    expectProblem(await post('/sites', { ...site, id: 'x', station: 'a\u0000b' }), 400, 'BAD_REQUEST')
    expectProblem(await post('/sites', site, await cookieOf(app, 'wang')), 403, 'NOT_ALLOWED')
    expectProblem(await post('/sites', { ...site, id: 'x', area: 'nowhere' }, await cookieOf(app, 'chief')), 400, 'BAD_REQUEST')

    const gate = structure('yc-zh-99', { area: 'yichang', canal: 'yc-main', site: 'yc-s099' })
    const made = await post('/gates', gate)
    expect(made.statusCode).toBe(201)
    expect(made.json()).toEqual({ ...gate, stale_after_ms: 180_000, state: null })
    expect(audited.at(-1)).toMatchObject({ action: 'gate.add', subject: 'yc-zh-99', details: { structure: gate } })
    expect((await get('/api/v1/gates/yc-zh-99', cookie)).statusCode).toBe(200)
    expectProblem(await post('/gates', gate), 409, 'CONFLICT')
    const lost = await post('/gates', { ...gate, id: 'yc-zh-98', site: 'wl-s001', canal: 'none' })
    expectProblem(lost, 400, 'BAD_REQUEST')
    expect(lost.json().detail).toMatch(/no canal none.*site wl-s001 in wulanbuhe/)
  })

  test('dead letters are for engineers and administrators of the whole district', async () => {
    const letter = { group: 'yichang', node: 'yc-s012', device: 'yc-zh-77', metric: null, reason: 'unknown gate', payload: 'AAECAw==' }
    await registry.deadLetters.add([letter], unixMs(T0))
    expectProblem(await get('/api/v1/dead-letters', await cookieOf(app, 'wang')), 403, 'NOT_ALLOWED')
    expectProblem(await get('/api/v1/dead-letters', await cookieOf(app, 'engineer')), 403, 'NOT_ALLOWED')
    const list = (await get('/api/v1/dead-letters', await cookieOf(app, 'chief'))).json<DeadLetterList>()
    expect(list).toEqual({
      items: [{ ...letter, id: expect.any(Number), count: 1, first_at: T0, last_at: T0, replay: null }],
      total: 1,
      limit: 200,
      offset: 0,
    })
  })

  test('who may read dead letters may have them taken again; who did it is in the audit', async () => {
    const source = { group: 'yichang', node: 'yc-s012', device: 'yc-zh-77' }
    const ask = async (login: string, payload: object) =>
      app.inject({ method: 'POST', url: '/api/v1/dead-letters/replay', payload, headers: { cookie: await cookieOf(app, login) } })
    expectProblem(await ask('engineer', source), 403, 'NOT_ALLOWED')
    expectProblem(await ask('chief', { ...source, device: 'another' }), 404, 'NOT_FOUND')
    const reply = await ask('chief', source)
    expect([reply.statusCode, reply.json()]).toEqual([202, { asked: 1 }])
    const [audited] = (await registry.audit.list({ action: 'dead_letters.replay' }, { limit: 1, offset: 0 })).items
    expect(audited).toMatchObject({ who: 'chief', subject: 'yichang/yc-s012/yc-zh-77', details: { asked: 1 } })
    const list = (await get('/api/v1/dead-letters', await cookieOf(app, 'chief'))).json<DeadLetterList>()
    expect(list.items[0]?.replay).toMatchObject({ state: 'asked', by: 'chief', samples: 0, note: '' })
  })
})

describe('history', () => {
  test('comes in columns that share one time axis, with gaps where a value is bad', async () => {
    const sample = (metric: string, t: number, reading: ReturnType<typeof good>) => ({
      gate: 'yc-zh-03',
      metric,
      t: unixMs(T0 + t),
      received: unixMs(T0 + t),
      reading,
    })
    const samples = [sample('level_up', 0, good(1.25)), sample('level_up', 1000, bad('timeout')), sample('flow', 1000, good(3.5))]
    expect(await history.write(samples, { rewrite: false })).toEqual({ kind: 'kept' })
    const cookie = await cookieOf(app, 'wang')
    const reply = await get(`/api/v1/gates/yc-zh-03/history?metrics=level_up,flow,velocity&from=${T0}&to=${T0 + 60_000}`, cookie)
    expect(reply.statusCode).toBe(200)
    const columns = (values: (number | null)[], badOnes: number[]) => ({ min: values, max: values, mean: values, bad: badOnes })
    expect(reply.json<HistoryReply>()).toEqual({
      bucket_ms: 0,
      t: [T0, T0 + 1000],
      level_up: columns([1.25, null], [0, 1]),
      flow: columns([null, 3.5], [0, 0]),
      velocity: columns([null, null], [0, 0]),
    })
  })

  test.each([
    ['metrics=nonsense&from=0&to=1', 'BAD_REQUEST', 400],
    ['metrics=flow&from=5&to=5', 'BAD_REQUEST', 400],
    ['metrics=flow&from=0&to=999999999999999', 'BAD_REQUEST', 400],
    ['metrics=flow&from=abc&to=1', 'BAD_REQUEST', 400],
    ['metrics=flow&from=0', 'BAD_REQUEST', 400],
    ['metrics=flow&from=0&to=1&points=100000', 'BAD_REQUEST', 400],
  ] as const)('a question like %s is refused', async (query, code, status) => {
    expectProblem(await get(`/api/v1/gates/yc-zh-03/history?${query}`, await cookieOf(app, 'wang')), status, code)
  })
})

describe('saved views', () => {
  test('are kept by person, and lead nowhere but into the dashboard', async () => {
    const [wang, engineer] = [await cookieOf(app, 'wang'), await cookieOf(app, 'engineer')]
    const put = (cookie: string, payload: object) => app.inject({ method: 'PUT', url: '/api/v1/views', headers: { cookie }, payload })
    const saved = await put(wang, { name: ' 夜班 ', address: '/trends?s=yc-zh-03:flow&last=3600000' })
    expect(saved.json()).toMatchObject({ name: '夜班', address: '/trends?s=yc-zh-03:flow&last=3600000' })
    expect((await get('/api/v1/views', wang)).json().items).toEqual([saved.json()])
    expect((await get('/api/v1/views', engineer)).json().items).toEqual([])
    for (const address of ['https://elsewhere.example/', '//elsewhere.example', 'trends'])
      expectProblem(await put(wang, { name: 'x', address }), 400, 'BAD_REQUEST')
    const remove = (cookie: string) => app.inject({ method: 'DELETE', url: `/api/v1/views/${saved.json().id}`, headers: { cookie } })
    expectProblem(await remove(engineer), 404, 'NOT_FOUND')
    expect((await remove(wang)).statusCode).toBe(204)
    expect((await get('/api/v1/views', wang)).json().items).toEqual([])
  })
})

describe('what goes wrong is a problem document', () => {
  test('an unknown address or method under /api', async () => {
    expectProblem(await get('/api/v1/nonsense'), 404, 'NOT_FOUND')
    expectProblem(await get('/api'), 404, 'NOT_FOUND')
    expectProblem(await app.inject({ method: 'PUT', url: '/api/v1/gates' }), 404, 'NOT_FOUND')
    expect((await get('/api/v1/nonsense?x=1')).json()).toMatchObject({
      instance: '/api/v1/nonsense',
      detail: 'there is no GET /api/v1/nonsense',
    })
  })

  test('an address that can not be read', async () => {
    expectProblem(await get('/api/v1/gates/%zz'), 400, 'BAD_REQUEST')
  })

  test('a body that is too large, no JSON, of another type, or not what is asked for', async () => {
    const post = (payload: string, type = 'application/json') =>
      app.inject({ method: 'POST', url: '/api/v1/session', payload, headers: { 'content-type': type } })
    expectProblem(await post(JSON.stringify({ login: 'x', password: 'y'.repeat(100_000) })), 413, 'BAD_REQUEST')
    expectProblem(await post('{'), 400, 'BAD_REQUEST')
    expectProblem(await post('login=wang', 'application/x-www-form-urlencoded'), 415, 'BAD_REQUEST')
    expectProblem(await post('hello', 'text/plain'), 415, 'BAD_REQUEST')
    expectProblem(await post('{}'), 400, 'BAD_REQUEST')
    expectProblem(await post(JSON.stringify({ login: 'x', password: 'y', admin: true })), 400, 'BAD_REQUEST')
    expectProblem(await post('{"login":"x","password":"y","__proto__":{"a":1}}'), 400, 'BAD_REQUEST')
  })

  test('a store that is away, without its address; and our own mistake, without its words', async () => {
    const broken: History = {
      write: (samples, options) => history.write(samples, options),
      latest: (gates) => history.latest(gates),
      samples: (query) => history.samples(query),
      close: async () => undefined,
      ready: async () => {
        throw new Fault('HISTORY_UNREACHABLE', 'influx1://root:hunter2@db.internal does not answer', 'start it')
      },
      past: (query) => history.past(query),
      aggregate: (query) => history.aggregate(query),
      rollUp: (before) => history.rollUp(before),
      expire: (keepFrom) => history.expire(keepFrom),
      storageBytes: () => history.storageBytes(),
      contents: () => history.contents(),
      rollUps: (of, before) => history.rollUps(of, before),
      putRollUps: (of, slices) => history.putRollUps(of, slices),
      range: async ({ metrics }) => {
        if (metrics.includes('flow'))
          throw new Fault('HISTORY_UNREACHABLE', 'influx1://root:hunter2@db.internal does not answer', 'start it')
        throw new TypeError('hunter2 is not a function')
      },
    }
    const other = await startApp({ registry, history: broken, mqttUrl: NO_BROKER })
    const headers = { cookie: await cookieOf(other.app, 'chief') }
    const away = await other.app.inject({ url: '/api/v1/gates/yc-zh-03/history?metrics=flow&from=0&to=1', headers })
    expectProblem(away, 503, 'HISTORY_UNREACHABLE')
    const mistake = await other.app.inject({ url: '/api/v1/gates/yc-zh-03/history?metrics=level_up&from=0&to=1', headers })
    expectProblem(mistake, 500, 'INTERNAL')
    expect(away.body + mistake.body).not.toMatch(/hunter2|db\.internal/)
    const ready = await other.app.inject('/readyz')
    expect(ready.json()).toMatchObject({ parts: { history: 'down', registry: 'up' } })
    await other.app.close()
  })
})

describe('the audit trail', () => {
  const trail = async (who: string, query = '') => (await get(`/api/v1/audit${query}`, await cookieOf(app, who))).json<AuditList>()
  const entry = (at: number, who: string, action: string, subject: string, details: Record<string, unknown> = {}) =>
    registry.audit.append({ at, who, action, subject, details })

  beforeAll(async () => {
    for (const [login, area] of [
      ['sun', 'yichang'],
      ['zhou', null],
    ] as const)
      await ensurePerson(registry, { login, name: login, password: PASSWORD, grants: [{ role: 'supervisor', area }] })
    await entry(T0, 'wang', 'command.send', 'yc-zh-03', { action: { kind: 'open' } })
    await entry(T0 + 1000, 'wang:report', 'order.draft', '2026-7', { structure: 'yc-zh-03' })
    await entry(T0 + 2000, 'wangbadan', 'command.send', 'wl-zh-01')
    await entry(T0 + 3000, '=HYPERLINK("http://evil")', 'session.refused', '=1+1', { reason: 'wrong' })
  })

  test('is for supervisors and administrators; one of an area sees what concerns its gates, canals and sites', async () => {
    for (const who of ['wang', 'engineer', 'nobody'])
      expectProblem(await get('/api/v1/audit', await cookieOf(app, who)), 403, 'NOT_ALLOWED')
    expectProblem(await get('/api/v1/audit/export', await cookieOf(app, 'wang')), 403, 'NOT_ALLOWED')
    const span = `?from=${T0}&to=${T0 + 60_000}`
    expect((await trail('zhou', span)).items.map((e) => e.subject)).toEqual(['=1+1', 'wl-zh-01', '2026-7', 'yc-zh-03'])
    expect((await trail('sun', span)).items.map((e) => e.subject)).toEqual(['2026-7', 'yc-zh-03'])
    expect(await trail('sun', '?gate=wl-zh-01')).toMatchObject({ items: [], total: 0 })
  })

  test('is found by person with their tokens, by gate where it is named, by kind and by time, and pages', async () => {
    const subjects = async (query: string) => (await trail('chief', `?from=${T0}&to=${T0 + 60_000}${query}`)).items.map((e) => e.subject)
    expect(await subjects('&who=wang')).toEqual(['2026-7', 'yc-zh-03'])
    expect(await subjects('&gate=yc-zh-03')).toEqual(['2026-7', 'yc-zh-03'])
    expect(await subjects('&kind=command')).toEqual(['wl-zh-01', 'yc-zh-03'])
    expect(await subjects('&kind=comm')).toEqual([])
    expect(await trail('chief', `?from=${T0 + 1000}&to=${T0 + 2000}`)).toMatchObject({ items: [{ who: 'wang:report' }], total: 1 })
    expect(await trail('chief', `?from=${T0}&to=${T0 + 60_000}&limit=1&offset=1`)).toMatchObject({
      items: [{ who: 'wangbadan' }],
      total: 4,
    })
  })

  test('is taken away as a file: a stranger’s words are no formula in it, and each line’s hash can be reckoned again', async () => {
    const cookie = await cookieOf(app, 'chief')
    const csv = await get(`/api/v1/audit/export?from=${T0}&to=${T0 + 60_000}`, cookie)
    expect(csv.headers['content-disposition']).toBe('attachment; filename="sluice-audit.csv"')
    const [, newest] = csv.body.split('\r\n')
    expect(newest).toContain(`,"'=HYPERLINK(""http://evil"")",session.refused,'=1+1,"{""reason"":""wrong""}",`)
    const lines = (await get(`/api/v1/audit/export?format=jsonl&kind=command`, cookie)).body.trim().split('\n')
    const entries = lines.map((line) => JSON.parse(line) as AuditEntry & { prev_hash: string; hash: string })
    expect(entries.length).toBeGreaterThanOrEqual(2)
    for (const e of entries) expect(hashOf(e.prev_hash, e)).toBe(e.hash)
  })
})
