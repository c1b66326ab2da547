import { rmSync } from 'node:fs'
import { Secret, TOTP } from 'otpauth'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Account, FirstPassword, MadeToken, PersonList, PersonView, SessionView, TokenView } from '#contract/http/access.ts'
import type { Registry } from '#registry/port.ts'
import { tempFolder } from '#test/support/servers.ts'
import type { App } from '../../../app.ts'
import { ensurePerson } from '../../../auth/ensure-person.ts'
import { expectProblem } from '../../../testing/problem.ts'
import { type AuditEntry, NO_BROKER, openStores, PASSWORD, PEOPLE, type Stores, startApp } from '../../../testing/start-api.ts'

const folder = tempFolder('people')
const STEP_MS = 30_000
let stores: Stores
let registry: Registry
let app: App
let audited: AuditEntry[]
let clock = Math.floor(Date.now() / STEP_MS) * STEP_MS
let n = 0
/** A person of the test's own. */
let login = ''

beforeAll(async () => {
  stores = await openStores(folder)
  registry = stores.registry
  const started = await startApp({ ...stores, mqttUrl: NO_BROKER, now: () => clock, settings: { sign_in: { tries_per_minute: 10_000 } } })
  app = started.app
  audited = started.audited
})
afterAll(async () => {
  await app.close()
  await stores.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  n += 1
  login = `person-${n}`
  // No test uses up the codes of another.
  clock += 10 * STEP_MS
  await ensurePerson(registry, { login, name: '某人', password: PASSWORD, grants: [{ role: 'dispatcher', area: 'yichang' }] })
})

type By = { readonly cookie?: string; readonly token?: string }
const send = (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, by: By = {}, payload?: object) =>
  app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { ...(by.cookie && { cookie: by.cookie }), ...(by.token && { authorization: `Bearer ${by.token}` }) },
    ...(payload && { payload }),
  })
const enter = (who: string, password = PASSWORD, code?: string) =>
  send('POST', '/session', {}, { login: who, password, ...(code && { code }) })
async function session(who: string, password = PASSWORD, code?: string): Promise<{ cookie: string }> {
  const reply = await enter(who, password, code)
  const [cookie] = reply.cookies
  if (!cookie) throw new Error(`${who} was not let in: ${reply.body}`)
  return { cookie: `${cookie.name}=${cookie.value}` }
}
const codeOf = (secret: string, at = clock): string => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: at })
async function enrol(by: By): Promise<{ secret: string; codes: string[] }> {
  const proposed = await send('POST', '/account/second-factor', by, { password: PASSWORD })
  expect(proposed.statusCode, proposed.body).toBe(201)
  const { secret } = proposed.json<{ secret: string }>()
  const confirmed = await send('POST', '/account/second-factor/confirm', by, { code: codeOf(secret) })
  expect(confirmed.statusCode, confirmed.body).toBe(200)
  return { secret, codes: confirmed.json<{ recovery_codes: string[] }>().recovery_codes }
}
const idOf = async (who: string): Promise<string> => (await registry.people.byLogin(who))?.id ?? ''

describe('a second factor', () => {
  test('is set up by one code of it, and from then on a sign-in asks for one', async () => {
    const mine = await session(login)
    const account = async () => (await send('GET', '/account', mine)).json<Account>()
    expect((await account()).second_factor).toEqual({ required: true, confirmed_at: null, used: false, recovery_codes_left: 0 })
    const { secret, codes } = await enrol(mine)
    expect(codes).toHaveLength(10)
    expect((await account()).second_factor).toEqual({ required: true, confirmed_at: clock, used: true, recovery_codes_left: 10 })

    expectProblem(await enter(login), 401, 'CODE_NEEDED')
    expectProblem(await enter(login, 'wrong', codeOf(secret)), 401, 'SIGN_IN_REFUSED')
    clock += STEP_MS
    expect((await enter(login, PASSWORD, codeOf(secret))).statusCode).toBe(200)
    expect(audited.at(-1)).toMatchObject({ who: login, action: 'session.sign_in', details: { second_factor: 'totp' } })
    expect(JSON.stringify(audited)).not.toContain(secret)
    expect(JSON.stringify(await account())).not.toContain(secret)
  })

  test('takes no code twice, none of before the last one, and a clock that is half a minute off', async () => {
    const { secret } = await enrol(await session(login))
    // The code that confirmed it is used up.
    expectProblem(await enter(login, PASSWORD, codeOf(secret)), 401, 'SIGN_IN_REFUSED')
    clock += STEP_MS
    const ahead = codeOf(secret, clock + STEP_MS)
    expect((await enter(login, PASSWORD, ahead)).statusCode).toBe(200)
    expectProblem(await enter(login, PASSWORD, ahead), 401, 'SIGN_IN_REFUSED')
    expectProblem(await enter(login, PASSWORD, codeOf(secret)), 401, 'SIGN_IN_REFUSED')
    expectProblem(await enter(login, PASSWORD, codeOf(secret, clock + 3 * STEP_MS)), 401, 'SIGN_IN_REFUSED')
  })

  test('can not be guessed: wrong codes lock out, and the right password in between does not begin the count anew', async () => {
    const { secret } = await enrol(await session(login))
    clock += STEP_MS
    const right = codeOf(secret)
    const wrong = right === '000000' ? '000001' : '000000'
    for (let i = 0; i < 5; i++) {
      expectProblem(await enter(login), 401, 'CODE_NEEDED')
      expectProblem(await enter(login, PASSWORD, wrong), 401, 'SIGN_IN_REFUSED')
    }
    expectProblem(await enter(login, PASSWORD, right), 429, 'LOCKED_OUT')
    expect(audited.filter((e) => e.who === login && e.details['reason'] === 'wrong code')).toHaveLength(5)
  })

  test('a recovery code lets in once, however it is typed', async () => {
    const { codes } = await enrol(await session(login))
    const [first = '', second = ''] = codes
    expect((await enter(login, PASSWORD, first.toLowerCase().replaceAll('-', ' '))).statusCode).toBe(200)
    expect(audited.at(-1)).toMatchObject({ action: 'session.sign_in', details: { second_factor: 'recovery_code' } })
    expectProblem(await enter(login, PASSWORD, first), 401, 'SIGN_IN_REFUSED')
    const mine = await session(login, PASSWORD, second)
    expect((await send('GET', '/account', mine)).json<Account>().second_factor).toMatchObject({ used: true, recovery_codes_left: 8 })
  })

  test('is not set up by a wrong password, a wrong code, too late, or with nothing shown', async () => {
    const mine = await session(login)
    expectProblem(await send('POST', '/account/second-factor/confirm', mine, { code: '123456' }), 409, 'CONFLICT')
    expectProblem(await send('POST', '/account/second-factor', mine, { password: 'wrong' }), 401, 'SIGN_IN_REFUSED')
    const { secret } = (await send('POST', '/account/second-factor', mine, { password: PASSWORD })).json<{ secret: string }>()
    const wrong = codeOf(secret, clock + 100 * STEP_MS)
    expectProblem(await send('POST', '/account/second-factor/confirm', mine, { code: wrong }), 401, 'SIGN_IN_REFUSED')
    clock += 11 * 60_000
    expectProblem(await send('POST', '/account/second-factor/confirm', mine, { code: codeOf(secret) }), 409, 'CONFLICT')
    expect((await enter(login)).statusCode).toBe(200)
  })

  test('is replaced only from a session that used it; the old one is good until the new one is confirmed', async () => {
    const before = await session(login)
    const mine = await session(login)
    const { secret } = await enrol(mine)
    expectProblem(await send('POST', '/account/second-factor', before, { password: PASSWORD }), 403, 'SECOND_FACTOR_NEEDED')
    await send('POST', '/account/second-factor', mine, { password: PASSWORD })
    clock += STEP_MS
    expect((await enter(login, PASSWORD, codeOf(secret))).statusCode).toBe(200)
    const newer = await enrol(mine)
    clock += STEP_MS
    expectProblem(await enter(login, PASSWORD, codeOf(secret)), 401, 'SIGN_IN_REFUSED')
    expect((await enter(login, PASSWORD, codeOf(newer.secret))).statusCode).toBe(200)
  })

  test('is taken away by an administrator, which ends the sessions; nobody takes away their own', async () => {
    const chief = await session('chief')
    const mine = await session(login)
    await enrol(mine)
    expect((await send('DELETE', `/people/${await idOf(login)}/second-factor`, chief)).statusCode).toBe(204)
    expect(audited.at(-1)).toMatchObject({ who: 'chief', action: 'person.second_factor_reset', subject: login })
    expectProblem(await send('GET', '/account', mine), 401, 'NOT_SIGNED_IN')
    expect((await enter(login)).statusCode).toBe(200)
    expectProblem(await send('DELETE', `/people/${await idOf(login)}/second-factor`, chief), 404, 'NOT_FOUND')
    expectProblem(await send('DELETE', `/people/${await idOf('chief')}/second-factor`, chief), 409, 'CONFLICT')
  })

  test('is asked of whoever selects a command, and of stop and tags it is not', async () => {
    const move = { action: { kind: 'open', opening_m: 0.5, leaf: null } }
    const mine = await session(login)
    expectProblem(await send('POST', '/gates/yc-zh-03/commands', mine, move), 403, 'SECOND_FACTOR_NEEDED')
    expect((await send('GET', '/gates/yc-zh-03/control', mine)).json()).toMatchObject({ needs_second_factor: true })
    // Without a signing key nothing is sent; what matters is that nothing else stood in the way.
    expectProblem(await send('POST', '/gates/yc-zh-03/stop', mine), 409, 'CONFLICT')
    const before = await session(login)
    await enrol(mine)
    expect((await send('GET', '/gates/yc-zh-03/control', mine)).json()).toMatchObject({ needs_second_factor: false })
    expectProblem(await send('POST', '/gates/yc-zh-03/commands', mine, move), 409, 'CONFLICT')
    expectProblem(await send('POST', '/gates/yc-zh-03/commands', before, move), 403, 'SECOND_FACTOR_NEEDED')
  })
})

describe('people', () => {
  test('an administrator adds one, whose first password must be changed before anything else', async () => {
    const chief = await session('chief')
    const who = `new-${n}`
    const added = await send('POST', '/people', chief, { login: who, name: '新人', grants: [{ role: 'viewer', area: null }] })
    expect(added.statusCode, added.body).toBe(201)
    const { person, first_password } = added.json<FirstPassword>()
    expect(person).toMatchObject({ login: who, must_change_password: true, disabled_at: null, second_factor_at: null })
    expect(audited.at(-1)).toMatchObject({ who: 'chief', action: 'person.add', subject: who })
    expect(JSON.stringify(audited)).not.toContain(first_password)
    expectProblem(await send('POST', '/people', chief, { login: who, name: 'x', grants: [] }), 409, 'CONFLICT')

    const reply = await enter(who, first_password)
    expect(reply.json()).toMatchObject({ must_change_password: true })
    const mine = await session(who, first_password)
    const other = await session(who, first_password)
    expectProblem(await send('GET', '/gates', mine), 403, 'PASSWORD_CHANGE_NEEDED')
    expectProblem(await send('GET', '/account', mine), 403, 'PASSWORD_CHANGE_NEEDED')
    expect((await send('GET', '/session', mine)).statusCode).toBe(200)
    const change = (current: string, next: string) => send('PUT', '/account/password', mine, { current, next })
    expectProblem(await change('wrong', PASSWORD), 401, 'SIGN_IN_REFUSED')
    expectProblem(await change(first_password, 'password123'), 400, 'PASSWORD_TOO_WEAK')
    expectProblem(await change(first_password, 'short'), 400, 'PASSWORD_TOO_WEAK')
    expectProblem(await change(first_password, first_password), 400, 'PASSWORD_TOO_WEAK')
    expect((await change(first_password, PASSWORD)).statusCode).toBe(204)
    expect(audited.at(-1)).toMatchObject({ who, action: 'password.change', details: { sessions_ended: 2 } })
    expect((await send('GET', '/gates', mine)).statusCode).toBe(200)
    expectProblem(await send('GET', '/session', other), 401, 'NOT_SIGNED_IN')
    expectProblem(await enter(who, first_password), 401, 'SIGN_IN_REFUSED')
  })

  test('who is disabled is out at once, told nothing but a wrong password, and back when enabled', async () => {
    const chief = await session('chief')
    const mine = await session(login)
    const id = await idOf(login)
    expect((await send('GET', '/gates', mine)).statusCode).toBe(200)
    expect((await send('PATCH', `/people/${id}`, chief, { disabled: true })).json<PersonView>().disabled_at).toBe(clock)
    expectProblem(await send('GET', '/gates', mine), 401, 'NOT_SIGNED_IN')
    expect((await enter(login)).body).toBe((await enter(login, 'wrong')).body)
    expect(audited.filter((e) => e.who === login).at(-2)).toMatchObject({ action: 'session.refused', details: { reason: 'disabled' } })
    await send('PATCH', `/people/${id}`, chief, { disabled: false })
    expect((await enter(login)).statusCode).toBe(200)
  })

  test('roles are changed for a session that is open, and the trail holds before and after', async () => {
    const chief = await session('chief')
    const mine = await session(login)
    const gates = async () => (await send('GET', '/gates', mine)).json<{ total: number }>().total
    const before = await gates()
    const grants = [{ role: 'viewer', area: null }]
    const id = await idOf(login)
    expect((await send('PATCH', `/people/${id}`, chief, { grants, name: '改名' })).json()).toMatchObject({ grants, name: '改名' })
    expect(await gates()).toBeGreaterThan(before)
    expect(audited.at(-1)).toMatchObject({
      action: 'person.change',
      subject: login,
      details: { before: { name: '某人', grants: [{ role: 'dispatcher', area: 'yichang' }] }, after: { name: '改名', grants } },
    })
    expectProblem(await send('PATCH', `/people/${id}`, chief, { grants: [{ role: 'viewer', area: 'nowhere' }] }), 400, 'BAD_REQUEST')
    expectProblem(await send('PATCH', `/people/${id}`, chief, {}), 400, 'BAD_REQUEST')
    expectProblem(await send('PATCH', '/people/none', chief, { name: 'x' }), 404, 'NOT_FOUND')
  })

  test('an administrator can not end the own administration', async () => {
    const chief = await session('chief')
    const id = await idOf('chief')
    expectProblem(await send('PATCH', `/people/${id}`, chief, { disabled: true }), 409, 'CONFLICT')
    expectProblem(await send('PATCH', `/people/${id}`, chief, { grants: [{ role: 'admin', area: 'yichang' }] }), 409, 'CONFLICT')
    expectProblem(await send('POST', `/people/${id}/password`, chief), 409, 'CONFLICT')
  })

  test('a forgotten password is made anew by an administrator: sessions end, the lock is lifted', async () => {
    const chief = await session('chief')
    const mine = await session(login)
    for (let i = 0; i < 5; i++) await enter(login, 'wrong')
    expectProblem(await enter(login), 429, 'LOCKED_OUT')
    const { first_password } = (await send('POST', `/people/${await idOf(login)}/password`, chief)).json<FirstPassword>()
    expect(audited.at(-1)).toMatchObject({ action: 'person.password_reset', subject: login })
    expectProblem(await send('GET', '/session', mine), 401, 'NOT_SIGNED_IN')
    expect((await enter(login, first_password)).json()).toMatchObject({ must_change_password: true })
  })

  test('sessions are listed with their origin and ended: one’s own, and anybody’s by an administrator', async () => {
    const mine = await session(login)
    clock += 1000
    const [other, chief] = [await session(login), await session('chief')]
    const list = async () => (await send('GET', '/account/sessions', mine)).json<{ items: SessionView[] }>().items
    expect((await list()).map((s) => s.current)).toEqual([true, false])
    expect((await list())[0]).toMatchObject({ ip: '127.0.0.1', agent: 'lightMyRequest', second_factor: false })
    const second = (await list())[1]?.id ?? ''
    expectProblem(await send('DELETE', `/account/sessions/${second}`, await session('wang')), 404, 'NOT_FOUND')
    expect((await send('DELETE', `/account/sessions/${second}`, mine)).statusCode).toBe(204)
    expectProblem(await send('GET', '/session', other), 401, 'NOT_SIGNED_IN')
    const id = await idOf(login)
    const seen = (await send('GET', `/people/${id}/sessions`, chief)).json<{ items: SessionView[] }>().items
    expect(seen).toHaveLength(1)
    expect((await send('DELETE', `/people/${id}/sessions/${seen[0]?.id}`, chief)).statusCode).toBe(204)
    expect(audited.at(-1)).toMatchObject({ who: 'chief', action: 'session.end', subject: login })
    expectProblem(await send('GET', '/session', mine), 401, 'NOT_SIGNED_IN')
  })
})

describe('a token', () => {
  const make = (by: By, change: object = {}) =>
    send('POST', '/account/tokens', by, { name: 'export', scopes: ['read'], area: null, days: 30, password: PASSWORD, ...change })

  test('works within its scopes and area, stands in the trail by its name, and ends at its time', async () => {
    const { id } = await ensurePerson(registry, { login, name: '', password: PASSWORD, grants: [] })
    await registry.people.change(id, { grants: [{ role: 'engineer', area: null }] })
    const mine = await session(login)
    const made = await make(mine, { name: 'register', scopes: ['register'], area: 'yichang' })
    expect(made.statusCode, made.body).toBe(201)
    const { token, view } = made.json<MadeToken>()
    expect(view).toMatchObject({ scopes: ['read', 'register'], area: 'yichang', used_at: null })
    expect((await send('GET', '/areas', { token })).json<{ items: { id: string }[] }>().items.map((a) => a.id)).toEqual(['yichang'])
    expectProblem(await send('GET', '/gates/wl-zh-01', { token }), 403, 'NOT_ALLOWED')
    const site = (area: string, name: string) => ({ id: `${name}-${n}`, name: { zh: '站', en: 'Site' }, area, station: '供水所' })
    expect((await send('POST', '/sites', { token }, site('yichang', 'yc'))).statusCode).toBe(201)
    expect(audited.at(-1)).toMatchObject({ who: `${login}:register`, action: 'site.add' })
    expectProblem(await send('POST', '/sites', { token }, site('wulanbuhe', 'wl')), 403, 'NOT_ALLOWED')
    // The person may read dead letters, and this token was not made for it.
    expect((await send('GET', '/dead-letters', mine)).statusCode).toBe(200)
    expectProblem(await send('GET', '/dead-letters', { token }), 403, 'NOT_ALLOWED')
    expect((await send('GET', '/account/tokens', mine)).json<{ items: TokenView[] }>().items[0]?.used_at).toBe(clock)
    expect(JSON.stringify(audited)).not.toContain(token)

    await registry.people.change(id, { grants: [{ role: 'viewer', area: null }] })
    expectProblem(await send('POST', '/sites', { token }, site('yichang', 'yd')), 403, 'NOT_ALLOWED')
    clock += 30 * 86_400_000
    expectProblem(await send('GET', '/areas', { token }), 401, 'NOT_SIGNED_IN')
  })

  test('moves no gate, lifts no tag, and makes neither people nor tokens, even for one who may all of it', async () => {
    await registry.people.change(await idOf(login), {
      grants: [
        { role: 'supervisor', area: null },
        { role: 'admin', area: null },
      ],
    })
    const { token } = (await make(await session(login))).json<MadeToken>()
    const { paths } = (await app.inject('/api/openapi.json')).json<{ paths: Record<string, Record<string, { tags?: string[] }>> }>()
    const guarded = Object.entries(paths).flatMap(([path, of]) =>
      Object.entries(of).flatMap(([method, { tags }]) => {
        const personal = tags?.some((t) => t === 'account' || t === 'people' || t === 'session')
        return personal || (tags?.includes('control') && method !== 'get') ? [{ method: method.toUpperCase(), path }] : []
      }),
    )
    expect(guarded.length).toBeGreaterThanOrEqual(25)
    for (const { method, path } of guarded) {
      if (method === 'POST' && path === '/api/v1/session') continue
      const url = path.replaceAll(/\{\w+\}/g, 'yc-zh-03')
      const reply = await app.inject({ method: method as 'POST', url, headers: { authorization: `Bearer ${token}` }, payload: {} })
      expect([method, path, reply.statusCode]).toEqual([method, path, 403])
    }
    expect((await send('GET', '/gates/yc-zh-03/control', { token })).json()).toMatchObject({ may: { command: false, lock_out: false } })
  })

  test('is not made without the password, twice with a name, for what the person may not, or for nowhere', async () => {
    const mine = await session(login)
    expectProblem(await make(mine, { password: 'wrong' }), 401, 'SIGN_IN_REFUSED')
    expectProblem(await make(mine, { scopes: ['set_alarm_rules'] }), 403, 'NOT_ALLOWED')
    expectProblem(await make(mine, { area: 'wulanbuhe' }), 403, 'NOT_ALLOWED')
    expectProblem(await make(mine, { area: 'nowhere' }), 400, 'BAD_REQUEST')
    expectProblem(await make(mine, { scopes: ['command'] }), 400, 'BAD_REQUEST')
    expectProblem(await make(mine, { name: 'a:b' }), 400, 'BAD_REQUEST')
    expect((await make(mine)).statusCode).toBe(201)
    expectProblem(await make(mine), 409, 'CONFLICT')
  })

  test('of somebody disabled, ended, cut short or invented is nothing; a session’s cookie beside it does not help', async () => {
    const chief = await session('chief')
    const mine = await session(login)
    const { token, view } = (await make(mine)).json<MadeToken>()
    const works = async () => (await send('GET', '/areas', { token })).statusCode
    expect(await works()).toBe(200)
    const id = await idOf(login)
    await send('PATCH', `/people/${id}`, chief, { disabled: true })
    expect(await works()).toBe(401)
    await send('PATCH', `/people/${id}`, chief, { disabled: false })
    expect(await works()).toBe(200)
    for (const wrong of [token.slice(0, -1), 'sluice_', 'x', `${token}x`]) {
      expectProblem(await send('GET', '/areas', { ...chief, token: wrong }), 401, 'NOT_SIGNED_IN')
    }
    expect((await send('DELETE', `/people/${id}/tokens/${view.id}`, chief)).statusCode).toBe(204)
    expect(audited.at(-1)).toMatchObject({ who: 'chief', action: 'token.remove', subject: `${login}:export` })
    expect(await works()).toBe(401)
  })

  test('waits while its person has a first password to change', async () => {
    const { token } = (await make(await session(login))).json<MadeToken>()
    await send('POST', `/people/${await idOf(login)}/password`, await session('chief'))
    expectProblem(await send('GET', '/areas', { token }), 403, 'PASSWORD_CHANGE_NEEDED')
  })
})

describe('who may not', () => {
  test('every route of people is for administrators of the whole district', async () => {
    const routes = [
      ['GET', '/people'],
      ['POST', '/people', { login: 'mallory', name: 'M', grants: [{ role: 'admin', area: null }] }],
      ['PATCH', '/people/ID', { grants: [{ role: 'admin', area: null }] }],
      ['POST', '/people/ID/password'],
      ['DELETE', '/people/ID/second-factor'],
      ['GET', '/people/ID/sessions'],
      ['DELETE', '/people/ID/sessions/x'],
      ['GET', '/people/ID/tokens'],
      ['DELETE', '/people/ID/tokens/x'],
    ] as const
    const before = await registry.people.byLogin('wang')
    await registry.people.change(await idOf(login), { grants: [{ role: 'admin', area: 'yichang' }] })
    const others = [login, ...Object.keys(PEOPLE).filter((p) => p !== 'chief')]
    const sessions = await Promise.all(others.map((who) => session(who)))
    for (const [method, path, payload] of routes) {
      const call = (by: By) => send(method, path.replace('ID', before?.id ?? ''), by, payload)
      expectProblem(await call({}), 401, 'NOT_SIGNED_IN')
      for (const by of sessions) expectProblem(await call(by), 403, 'NOT_ALLOWED')
    }
    expect(await registry.people.byLogin('mallory')).toBeUndefined()
    expect(await registry.people.byLogin('wang')).toEqual(before)
  })

  test('the list holds everybody, and no hash or secret', async () => {
    const reply = await send('GET', '/people', await session('chief'))
    expect(reply.json<PersonList>().items.map((p) => p.login)).toEqual(expect.arrayContaining(Object.keys(PEOPLE)))
    expect(reply.body).not.toMatch(/argon2|password_hash|passwordHash|secret"/)
  })

  test('an account is for who is signed in', async () => {
    const routes = [
      ['GET', '/account'],
      ['PUT', '/account/password', { current: 'x', next: 'y' }],
      ['POST', '/account/second-factor', { password: 'x' }],
      ['POST', '/account/second-factor/confirm', { code: '123456' }],
      ['GET', '/account/sessions'],
      ['DELETE', '/account/sessions/x'],
      ['GET', '/account/tokens'],
      ['POST', '/account/tokens', { name: 'x', scopes: ['read'], area: null, days: 1, password: 'x' }],
      ['DELETE', '/account/tokens/x'],
    ] as const
    for (const [method, path, payload] of routes) expectProblem(await send(method, path, {}, payload), 401, 'NOT_SIGNED_IN')
  })
})
