import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Registry } from '#registry/port.ts'
import { tempFolder } from '#test/support/servers.ts'
import type { App } from '../app.ts'
import { expectProblem } from '../testing/problem.ts'
import { type AuditEntry, cookieOf, NO_BROKER, openStores, PASSWORD, type Stores, signIn, startApp } from '../testing/start-api.ts'
import { ensurePerson } from './ensure-person.ts'

const folder = tempFolder('api')
let stores: Stores
let registry: Registry
let app: App
let audited: AuditEntry[]
let clock = Date.now()

beforeAll(async () => {
  stores = await openStores(folder)
  registry = stores.registry
  const started = await startApp({ ...stores, mqttUrl: NO_BROKER, now: () => clock, settings: { sign_in: { tries_per_minute: 1000 } } })
  app = started.app
  audited = started.audited
})
afterAll(async () => {
  await app.close()
  await stores.close()
  rmSync(folder, { recursive: true, force: true })
})

const get = async (url: string, cookie?: string) => app.inject({ url, headers: cookie === undefined ? {} : { cookie } })

describe('sign-in', () => {
  test('the right password gives a cookie that scripts and other sites can not use, and it is audited', async () => {
    const reply = await signIn(app, 'wang')
    expect(reply.statusCode).toBe(200)
    expect(reply.json()).toEqual({
      login: 'wang',
      name: 'wang',
      grants: [{ role: 'dispatcher', area: 'yichang' }],
      expires_at: clock + 12 * 3_600_000,
      must_change_password: false,
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
      ...stores,
      mqttUrl: NO_BROKER,
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
