import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeadLetterList, GateList, HistoryReply } from '#contract/http.ts'
import { bad, good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import type { History } from '#history/port.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { freePort, type RealServer, startMosquitto, tempFolder } from '#test/support/servers.ts'
import type { App } from './app.ts'
import { ensurePerson } from './auth/ensure-person.ts'
import { openApi } from './main.ts'
import { structure } from './testing/district.ts'
import { openHistory } from './testing/memory.ts'
import { type AuditEntry, cookieOf, PASSWORD, seed, settingsWith, signIn, startApp } from './testing/start-api.ts'

const T0 = 1_790_000_000_000
const ASSET = `console.log("${'sluice '.repeat(500)}")`
const folder = tempFolder('api')
const log = pino({ level: 'silent' })
let broker: RealServer
let registry: Registry
let history: History
let app: App
let audited: AuditEntry[]
let clock = Date.now()

beforeAll(async () => {
  broker = await startMosquitto()
  registry = await openRegistry(`pglite:${join(folder, 'registry')}`, { log, migrationsFolder: 'registry/migrations' })
  history = await openHistory(`duckdb:${join(folder, 'history.duckdb')}`, { log })
  await seed(registry)
  const page = join(folder, 'dashboard')
  mkdirSync(join(page, 'assets'), { recursive: true })
  writeFileSync(join(page, 'index.html'), '<!doctype html><title>Sluice</title>')
  writeFileSync(join(page, 'assets', 'index-abc123.js'), ASSET)
  writeFileSync(join(page, 'assets', 'packed-abc123.js'), ASSET)
  writeFileSync(join(page, 'assets', 'packed-abc123.js.br'), brotliCompressSync(`/* ready made */${ASSET}`))
  writeFileSync(join(page, '.secret'), 'secret')
  writeFileSync(join(folder, 'outside.txt'), 'outside')
  const started = await startApp({
    registry,
    history,
    mqttUrl: broker.url,
    dashboardFolder: page,
    now: () => clock,
    settings: { sign_in: { tries_per_minute: 1000 } },
  })
  app = started.app
  audited = started.audited
})
afterAll(async () => {
  await app.close()
  await history.close()
  await registry.close()
  await broker.stop()
  rmSync(folder, { recursive: true, force: true })
})

const get = async (url: string, cookie?: string) => app.inject({ url, headers: cookie === undefined ? {} : { cookie } })

function expectProblem(reply: Awaited<ReturnType<typeof get>>, status: number, code: string): void {
  expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(reply.json()).toMatchObject({ status, code, type: expect.stringMatching(/^urn:sluice:fault:/), title: expect.any(String) })
  expect(reply.statusCode).toBe(status)
  expect(reply.json().detail).not.toBe('')
  expect(reply.json().next).not.toBe('')
  expect(reply.body).not.toMatch(/node_modules|\.ts:|at .*\(/)
}

describe('sign-in', () => {
  test('the right password gives a cookie that scripts and other sites can not use, and it is audited', async () => {
    const reply = await signIn(app, 'wang')
    expect(reply.statusCode).toBe(200)
    expect(reply.json()).toEqual({
      login: 'wang',
      name: 'wang',
      grants: [{ role: 'dispatcher', area: 'yichang' }],
      expires_at: clock + 12 * 3_600_000,
    })
    expect(reply.headers['set-cookie']).toMatch(/^sluice_session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/)
    expect(reply.headers['cache-control']).toBe('no-store')
    expect(audited.at(-1)).toMatchObject({ who: 'wang', action: 'session.sign_in', details: { ip: '127.0.0.1' } })
  })

  test('the registry holds only the SHA-256 of the token', async () => {
    const token = (await cookieOf(app, 'wang')).split('=')[1] ?? ''
    expect(await registry.sessions.byTokenHash(token)).toBeUndefined()
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token)))
    expect(await registry.sessions.byTokenHash(Buffer.from(hash).toString('hex'))).toMatchObject({ expiresAt: clock + 12 * 3_600_000 })
  })

  test('a wrong password and an unknown login are told apart by nothing, and are audited', async () => {
    const wrong = await signIn(app, 'chief', 'wrong')
    const unknown = await signIn(app, 'stranger', 'wrong')
    expectProblem(wrong, 401, 'SIGN_IN_REFUSED')
    expect(unknown.body).toBe(wrong.body)
    expect(wrong.cookies).toEqual([])
    expect(audited.slice(-2).map((e) => [e.who, e.action])).toEqual([
      ['chief', 'session.refused'],
      ['stranger', 'session.refused'],
    ])
    expect(JSON.stringify(audited)).not.toContain(PASSWORD)
    await signIn(app, 'chief')
    expect((await registry.people.byLogin('chief'))?.failedSignIns).toBe(0)
  })

  test.each(['nobody', 'stranger-2'])(
    'after five failures %s is locked out for 15 minutes, also with the right password',
    async (login) => {
      for (let i = 0; i < 5; i++) expectProblem(await signIn(app, login, `wrong ${i}`), 401, 'SIGN_IN_REFUSED')
      const locked = await signIn(app, login)
      expectProblem(locked, 429, 'LOCKED_OUT')
      expect(locked.headers['retry-after']).toBe('900')
      clock += 14 * 60_000
      expectProblem(await signIn(app, login), 429, 'LOCKED_OUT')
      clock += 2 * 60_000
      expect((await signIn(app, login, 'wrong')).statusCode).toBe(401)
      if (login === 'nobody') expect((await signIn(app, login)).statusCode).toBe(200)
    },
  )

  test('guesses sent all at once are counted like guesses in a row', async () => {
    const replies = await Promise.all(Array.from({ length: 12 }, (_, i) => signIn(app, 'engineer', `guess ${i}`)))
    expect(replies.filter((r) => r.statusCode === 401)).toHaveLength(5)
    expect(replies.filter((r) => r.statusCode === 429)).toHaveLength(7)
    clock += 16 * 60_000
  })

  test('ensurePerson adds somebody once and gives the password anew, nothing else', async () => {
    const wanted = { login: 'demo', password: 'first', name: 'Demo', grants: [{ role: 'viewer' as const, area: null }] }
    const added = await ensurePerson(registry, wanted)
    expect(added.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(await ensurePerson(registry, wanted)).toEqual(added)
    const changed = await ensurePerson(registry, { ...wanted, password: 'second' })
    expect(changed.passwordHash).not.toBe(added.passwordHash)
    expect({ ...changed, passwordHash: '' }).toEqual({ ...added, passwordHash: '' })
    expect((await signIn(app, 'demo', 'first')).statusCode).toBe(401)
    expect((await signIn(app, 'demo', 'second')).statusCode).toBe(200)
  })

  test('who am I, and signing out ends the session', async () => {
    const cookie = await cookieOf(app, 'wang')
    expect((await get('/api/v1/session', cookie)).json()).toMatchObject({ login: 'wang' })
    const out = await app.inject({ method: 'DELETE', url: '/api/v1/session', headers: { cookie } })
    expect(out.statusCode).toBe(204)
    expect(out.headers['set-cookie']).toMatch(/^sluice_session=; .*Expires=Thu, 01 Jan 1970/)
    expect(audited.at(-1)).toMatchObject({ who: 'wang', action: 'session.sign_out' })
    expectProblem(await get('/api/v1/session', cookie), 401, 'NOT_SIGNED_IN')
  })

  test('a session ends at its time', async () => {
    const cookie = await cookieOf(app, 'wang')
    clock += 12 * 3_600_000 - 1
    expect((await get('/api/v1/session', cookie)).statusCode).toBe(200)
    clock += 1
    expectProblem(await get('/api/v1/session', cookie), 401, 'NOT_SIGNED_IN')
  })

  test('too many sign-ins from one address are refused, and behind a proxy the address is the browser’s', async () => {
    const limited = await startApp({
      registry,
      history,
      mqttUrl: broker.url,
      now: () => clock,
      settings: { sign_in: { tries_per_minute: 3 }, http: { trust_proxy: ['127.0.0.1'] } },
    })
    const from = (ip: string, proto = 'http') =>
      limited.app.inject({
        method: 'POST',
        url: '/api/v1/session',
        payload: { login: 'wang', password: PASSWORD },
        headers: { 'x-forwarded-for': ip, 'x-forwarded-proto': proto },
      })
    for (let i = 0; i < 3; i++) expect((await from('10.0.0.1')).statusCode).toBe(200)
    const refused = await from('10.0.0.1')
    expectProblem(refused, 429, 'LOCKED_OUT')
    expect(refused.headers['retry-after']).toBe('60')
    const other = await from('10.0.0.2', 'https')
    expect(other.headers['set-cookie']).toMatch(/; Secure/)
    expect(limited.audited.at(-1)?.details).toEqual({ ip: '10.0.0.2' })
    await limited.app.close()
  })
})

describe('another site', () => {
  const post = (headers: Record<string, string>) =>
    app.inject({
      method: 'POST',
      url: '/api/v1/session',
      payload: { login: 'wang', password: PASSWORD },
      headers: { host: 'sluice.local:8080', ...headers },
    })

  test('can not sign anybody in or out', async () => {
    expectProblem(await post({ origin: 'http://evil.example' }), 403, 'NOT_ALLOWED')
    expectProblem(await post({ 'sec-fetch-site': 'cross-site' }), 403, 'NOT_ALLOWED')
    const cookie = await cookieOf(app, 'wang')
    const out = await app.inject({ method: 'DELETE', url: '/api/v1/session', headers: { cookie, origin: 'http://evil.example' } })
    expectProblem(out, 403, 'NOT_ALLOWED')
    expect((await get('/api/v1/session', cookie)).statusCode).toBe(200)
  })

  test('is not what our own page is', async () => {
    expect((await post({ origin: 'http://sluice.local:8080' })).statusCode).toBe(200)
    expect((await post({ 'sec-fetch-site': 'same-origin' })).statusCode).toBe(200)
  })
})

describe('the district', () => {
  const ids = (reply: Awaited<ReturnType<typeof get>>): string[] => reply.json<GateList>().items.map((i) => i.id)

  test.each([
    '/areas',
    '/canals',
    '/sites',
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
    expect(added.json()).toEqual({ ...site, report_interval_ms: 5000 })
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
    expect(made.json()).toEqual({ ...gate, stale_after_ms: 15_000, state: null })
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
      items: [{ ...letter, id: expect.any(Number), count: 1, first_at: T0, last_at: T0 }],
      total: 1,
      limit: 200,
      offset: 0,
    })
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
    const { Fault } = await import('#contract/fault.ts')
    const broken: History = {
      write: (samples, options) => history.write(samples, options),
      latest: (gates) => history.latest(gates),
      samples: (query) => history.samples(query),
      close: async () => undefined,
      ready: async () => {
        throw new Fault('HISTORY_UNREACHABLE', 'influx1://root:hunter2@db.internal does not answer', 'start it')
      },
      range: async ({ metrics }) => {
        if (metrics.includes('flow'))
          throw new Fault('HISTORY_UNREACHABLE', 'influx1://root:hunter2@db.internal does not answer', 'start it')
        throw new TypeError('hunter2 is not a function')
      },
    }
    const other = await startApp({ registry, history: broken, mqttUrl: broker.url })
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

describe('service', () => {
  test('alive and ready', async () => {
    expect((await get('/healthz')).json()).toEqual({ status: 'ok' })
    await expect
      .poll(async () => (await get('/readyz')).json(), { timeout: 10_000, interval: 300 })
      .toEqual({
        ready: true,
        parts: { registry: 'up', history: 'up', broker: 'up' },
      })
  })

  test('is not ready without the broker', async () => {
    const alone = await startApp({ registry, history, mqttUrl: `mqtt://127.0.0.1:${await freePort()}` })
    const reply = await alone.app.inject('/readyz')
    expect(reply.statusCode).toBe(503)
    expect(reply.json()).toEqual({ ready: false, parts: { registry: 'up', history: 'up', broker: 'down' } })
    await alone.app.close()
  })

  test('metrics tell of the process, routes by pattern, live gates, live connections and the broker', async () => {
    await get('/api/v1/gates/yc-zh-03', await cookieOf(app, 'wang'))
    const reply = await get('/metrics')
    expect(reply.headers['content-type']).toMatch(/^text\/plain/)
    expect(reply.body).toMatch(/^process_resident_memory_bytes \d+/m)
    expect(reply.body).toMatch(
      /^sluice_http_request_duration_seconds_count\{method="GET",route="\/api\/v1\/gates\/:id",status="200"\} \d+$/m,
    )
    expect(reply.body).toMatch(/^sluice_live_gates \d+$/m)
    expect(reply.body).toMatch(/^sluice_socket_clients 0$/m)
    expect(reply.body).toMatch(/^sluice_mqtt_connected 1$/m)
    expect(reply.body).not.toContain('yc-zh-03')
  })

  test('metrics are for this machine only, unless opened', async () => {
    expectProblem(await app.inject({ url: '/metrics', remoteAddress: '10.0.0.9' }), 403, 'NOT_ALLOWED')
    expectProblem(await app.inject({ url: '/metrics', headers: { 'x-forwarded-for': '10.0.0.9' } }), 403, 'NOT_ALLOWED')
    const wide = await startApp({ registry, history, mqttUrl: broker.url, settings: { http: { host: '0.0.0.0' } } })
    expectProblem(await wide.app.inject('/metrics'), 403, 'NOT_ALLOWED')
    await wide.app.close()
    const open = await startApp({ registry, history, mqttUrl: broker.url, settings: { http: { host: '0.0.0.0', metrics: 'everyone' } } })
    expect((await open.app.inject({ url: '/metrics', remoteAddress: '10.0.0.9' })).statusCode).toBe(200)
    await open.app.close()
  })

  test('a proxy that is no address is named at the start', async () => {
    const started = startApp({ registry, history, mqttUrl: broker.url, settings: { http: { trust_proxy: ['10.0.0.0/8', 'nginx'] } } })
    await expect(started).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('nginx') })
  })

  test('a port in use is named, with what to do', async () => {
    const first = await openApi(settingsWith({ http: { port: 0 } }), {
      log,
      registry,
      history,
      mqttUrl: broker.url,
      dashboardFolder: undefined,
    })
    const port = Number(new URL(first.address).port)
    const second = openApi(settingsWith({ http: { port } }), { log, registry, history, mqttUrl: broker.url, dashboardFolder: undefined })
    await expect(second).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining(String(port)),
      next: 'set SLUICE_HTTP_PORT to a free port',
    })
    expect((await fetch(`${first.address}/healthz`)).status).toBe(200)
    await first.close()
  })
})

describe('the description of the API', () => {
  type Operation = {
    parameters?: { name: string; required: boolean }[]
    responses: Record<string, { content?: Record<string, { schema: object }>; description: string }>
  }
  type Document = {
    openapi: string
    info: object
    paths: Record<string, Record<string, Operation>>
    components: { schemas: Record<string, unknown> }
  }

  test('names every route, each reply with a schema, and every reference leads somewhere', async () => {
    const document = (await get('/api/openapi.json')).json<Document>()
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Sluice', version: '1' } })
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((m) => `${m.toUpperCase()} ${path}`),
    )
    expect(operations.sort()).toEqual([
      'DELETE /api/v1/session',
      'GET /api/openapi.json',
      'GET /api/v1/areas',
      'GET /api/v1/canals',
      'GET /api/v1/dead-letters',
      'GET /api/v1/gates',
      'GET /api/v1/gates/{id}',
      'GET /api/v1/gates/{id}/history',
      'GET /api/v1/session',
      'GET /api/v1/sites',
      'GET /healthz',
      'GET /metrics',
      'GET /readyz',
      'POST /api/v1/gates',
      'POST /api/v1/session',
      'POST /api/v1/sites',
    ])
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const { responses } of Object.values(methods)) {
        if (path.startsWith('/api/v1')) expect(Object.keys(responses['4XX']?.content ?? {})).toEqual(['application/problem+json'])
        for (const [status, reply] of Object.entries(responses)) {
          expect(reply.description).toEqual(expect.any(String))
          if (status !== '204')
            for (const media of Object.values(reply.content ?? { none: { schema: {} } })) expect(Object.keys(media.schema)).not.toEqual([])
        }
      }
    }
    const parameters = Object.fromEntries(
      (document.paths['/api/v1/gates/{id}/history']?.['get']?.parameters ?? []).map((p) => [p.name, p.required]),
    )
    expect(parameters).toEqual({ id: true, metrics: true, from: true, to: true, points: false })
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((m) => m[1] ?? '')
    expect(references.length).toBeGreaterThan(0)
    for (const reference of new Set(references)) {
      expect(reference).toMatch(/^#\/components\/schemas\//)
      expect(document.components.schemas).toHaveProperty(reference.replace('#/components/schemas/', ''))
    }
  })

  test('its page loads nothing from elsewhere', async () => {
    const page = await get('/api/docs/')
    expect(page.statusCode).toBe(200)
    expect(page.headers['content-security-policy']).toContain("script-src 'self'")
    const loaded = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map((m) => m[1] ?? '')
    expect(loaded.length).toBeGreaterThan(3)
    for (const url of loaded) {
      expect(url).toMatch(/^\.\/static\//)
      expect((await get(`/api/docs/${url.slice(2)}`)).statusCode).toBe(200)
    }
    expect(page.body).not.toMatch(/<script>|<style|style="/)
  })
})

describe('the dashboard', () => {
  test('assets are kept for ever, the page is asked for each time', async () => {
    const asset = await get('/assets/index-abc123.js')
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect(asset.headers['content-type']).toMatch(/^(text|application)\/javascript/)
    expect(asset.body).toBe(ASSET)
    for (const path of ['/', '/index.html', '/gates/yc-zh-03', '/gates/yc.zh.03?tab=trend']) {
      const page = await get(path)
      expect(page.statusCode).toBe(200)
      expect(page.headers['cache-control']).toBe('no-cache')
      expect(page.headers['content-type']).toMatch(/^text\/html/)
      expect(page.body).toContain('<title>Sluice</title>')
    }
  })

  test('everything may come from this server only', async () => {
    const { headers } = await get('/')
    expect(headers['content-security-policy']).toMatch(
      /default-src 'self';.*frame-ancestors 'none';.*object-src 'none';script-src 'self';.*style-src 'self'/,
    )
    expect(headers['content-security-policy']).not.toMatch(/unsafe|https?:/)
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['strict-transport-security']).toBeUndefined()
  })

  test('replies are compressed, or sent as the build has compressed them', async () => {
    const packed = await app.inject({ url: '/assets/index-abc123.js', headers: { 'accept-encoding': 'gzip' } })
    expect(packed.headers['content-encoding']).toBe('gzip')
    expect(packed.rawPayload.length).toBeLessThan(ASSET.length / 4)
    const ready = await app.inject({ url: '/assets/packed-abc123.js', headers: { 'accept-encoding': 'br, gzip' } })
    expect(ready.headers['content-encoding']).toBe('br')
    expect(ready.rawPayload).toEqual(brotliCompressSync(`/* ready made */${ASSET}`))
    expect(ready.headers['cache-control']).toMatch(/immutable/)
  })

  test('a missing asset is missing, and only GET gets the page', async () => {
    expectProblem(await get('/assets/gone-abc123.js'), 404, 'NOT_FOUND')
    expectProblem(await app.inject({ method: 'POST', url: '/gates/yc-zh-03' }), 404, 'NOT_FOUND')
  })

  test('no path leads out of its folder or to a hidden file', async () => {
    await app.ready()
    const { address, close } = await openApi(settingsWith({ http: { port: 0 } }), {
      log,
      registry,
      history,
      mqttUrl: broker.url,
      dashboardFolder: join(folder, 'dashboard'),
    })
    const { port } = new URL(address)
    // A URL class would tidy these paths up, so they go over a bare socket.
    for (const path of [
      '/../outside.txt',
      '/assets/../../outside.txt',
      '/..%2foutside.txt',
      '/%2e%2e/outside.txt',
      '/assets/..%5c..%5coutside.txt',
      '//../outside.txt',
      '/.secret',
      '/%00',
    ]) {
      const reply = await rawGet(Number(port), path)
      expect(reply, path).toMatch(/^HTTP\/1\.1 \d{3}/)
      expect(reply, path).not.toMatch(/outside|^secret/m)
    }
    await close()
  })
})

async function rawGet(port: number, path: string): Promise<string> {
  return await new Promise((done, fail) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`))
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    socket.on('end', () => done(text.replaceAll(path, '')))
    socket.on('error', fail)
  })
}
