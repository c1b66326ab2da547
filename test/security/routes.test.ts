/** Every route that the API describes, under attack: who may not is refused, what is no request is refused, nothing breaks and nothing leaks. */
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type App, buildApp } from '#api/app.ts'
import { ensurePerson } from '#api/auth/ensure-person.ts'
import { cookieOf, NO_BROKER, openStores, PASSWORD, type Stores, settingsWith } from '#api/testing/start-api.ts'
import type { Role } from '#contract/may.ts'
import { unixMs } from '#contract/units.ts'
import { type Filled, fill, type Json, type Operation, operationsOf, valueFor, withEachString } from '../support/operations.ts'
import { tempFolder } from '../support/servers.ts'

const ROLES: readonly Role[] = ['viewer', 'dispatcher', 'supervisor', 'engineer', 'analyst', 'admin']
/** Asked by everybody, signed in or not. */
const OPEN = ['GET /api/openapi.json', 'GET /metrics', 'GET /healthz', 'GET /readyz', 'POST /api/v1/session']
/** One's own affairs: no role is asked. */
const OWN = /\/api\/v1\/(session|account|views|exports)/
/** Reading that takes more than a viewer's grant. */
const READS_OF_FEW = [
  'GET /api/v1/dead-letters',
  'GET /api/v1/people',
  'GET /api/v1/people/{id}/sessions',
  'GET /api/v1/people/{id}/tokens',
  'GET /api/v1/sites/{id}/configs',
  'GET /api/v1/sites/{id}/configs/{config}',
]
/** Each row, or each alarm, is judged by itself: the reply says how many were taken. */
const BY_ROW = ['POST /api/v1/manual-readings', 'POST /api/v1/manual-readings/csv', 'POST /api/v1/alarms/ack']
const SECRET = 'sluice-secret-4711'

const folder = tempFolder('routes')
const written: string[] = []
let stores: Stores
let app: App
let operations: Operation[]
let given: Record<string, Json>
const cookies: Record<string, string> = {}
let address = 0

beforeAll(async () => {
  stores = await openStores(folder)
  const { registry } = stores
  const log = pino({ level: 'info' }, { write: (line: string) => void written.push(line) })
  app = await buildApp(settingsWith({ control: { second_factor: 'optional', second_person: 'nobody' } }), {
    log,
    ...stores,
    mqttUrl: NO_BROKER,
    username: undefined,
    password: undefined,
    dashboardFolder: undefined,
  })
  const people: Record<string, readonly { role: Role; area: string | null }[]> = {
    everything: ROLES.map((role) => ({ role, area: null })),
    viewer: [{ role: 'viewer', area: null }],
    neighbour: ROLES.map((role) => ({ role, area: 'wulanbuhe' })),
  }
  for (const [login, grants] of Object.entries(people)) {
    await ensurePerson(registry, { login, name: login, password: PASSWORD, grants })
    cookies[login] = await cookieOf(app, login)
  }
  operations = await operationsOf(app)
  given = await existing()
})
afterAll(async () => {
  await app?.close()
  await stores?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Things of area yichang that are really there, so that a refusal is about the person and not about a missing row. */
async function existing(): Promise<Record<string, Json>> {
  const { registry } = stores
  const at = unixMs(Date.now())
  const wang = await registry.people.byLogin('wang')
  if (!wang) throw new Error('wang is away')
  const [command, lockout, order] = [randomUUID(), randomUUID(), randomUUID()]
  const place = { structure: 'yc-zh-03', area: 'yichang', site: 'yc-s012' }
  const action = { kind: 'open', opening_m: 1, leaf: null } as const
  const selection = { needsSecond: false, by: 'wang', session: 's', order: null, selectedAt: at, expiresAt: unixMs(at + 600_000) }
  const entry = (action: string, subject: string) => ({ at, who: 'wang', action, subject, details: { command } })
  await registry.control.select({ id: command, ...place, action, ...selection }, () => entry('command.select', place.structure))
  await registry.control.lockOut(
    { id: lockout, structure: 'yc-zh-04', reason: SECRET, by: 'wang', byName: 'wang', at, until: at + 3_600_000 },
    entry('lockout.tag', 'yc-zh-04'),
  )
  await registry.orders.add(
    {
      id: order,
      year: 2026,
      area: 'yichang',
      structure: 'yc-zh-03',
      state: 'draft',
      target: { kind: 'flow', flow_m3s: 1 },
      reason: SECRET,
      effectiveAt: at,
      travelMs: 0,
      steps: [],
      createdAt: at,
    },
    () => entry('order.draft', '2026-1'),
  )
  const posted = async (url: string, payload: object): Promise<string> => {
    const reply = await app.inject({ method: 'POST', url: `/api/v1${url}`, payload, headers: { cookie: cookies['everything'] ?? '' } })
    expect(reply.statusCode, reply.body).toBe(201)
    return String(reply.json<{ id: string | number }>().id)
  }
  const entryId = await posted('/shift/entries', { text: SECRET, gate: 'yc-zh-03', area: 'yichang', open: true })
  const handover = await posted('/shift/handovers', { note: SECRET, area: 'yichang' })
  const gate = { id: 'yc-zh-03' }
  return {
    gates: { ...gate, metric: 'level_up', gates: 'yc-zh-03' },
    sites: { id: 'yc-s012', config: randomUUID() },
    canals: { id: 'yc-main', to: 'wang' },
    commands: { id: command },
    lockouts: { id: lockout },
    orders: { id: order, structure: 'yc-zh-03', deed: 'review' },
    people: { id: wang.id, name: 'mallory' },
    'manual-readings': { csv: 'gate,metric,t,value\nyc-zh-03,level_up,2026-05-01 08:00,1' },
    shift: { id: entryId, handover },
    export: { gates: 'yc-zh-03', metrics: 'level_up' },
    balance: { in: 'yc-zh-03' },
  }
}

/** The operation upon something that is there. */
function aimed(operation: Operation, more: Json = {}): Filled {
  const room = operation.path.split('/')[3] ?? ''
  const { handover, ...at } = given[room] ?? {}
  const onHandover = operation.path.includes('/handovers/') ? { id: handover } : {}
  const named = Object.entries({ ...at, ...onHandover }).filter(([name]) => takes(operation, name))
  // A new row is in the area that the attack is about.
  const area = takes(operation, 'area') && operation.method !== 'GET' ? { area: 'yichang' } : {}
  return fill(operation, { ...Object.fromEntries(named), ...area, ...more })
}
const takes = (o: Operation, name: string): boolean => o.parameters.some((p) => p.name === name) || o.body?.properties?.[name] !== undefined
const inV1 = (): Operation[] => operations.filter((o) => o.path.startsWith('/api/v1/') && !OPEN.includes(o.name))
const changing = (): Operation[] => inV1().filter((o) => o.method !== 'GET')

type Extra = { readonly as?: string; readonly headers?: Record<string, string>; readonly raw?: string }
/** Each from an address of its own, so that what is counted by address does not answer in a route's place. */
async function attack({ method, url, payload }: Filled, { as, headers = {}, raw }: Extra = {}) {
  address += 1
  const cookie = as === undefined ? {} : { cookie: cookies[as] ?? '' }
  const body = raw ?? (payload === undefined ? undefined : JSON.stringify(payload))
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  return await app.inject({
    method,
    url,
    remoteAddress: `10.${address >> 16}.${(address >> 8) & 255}.${address & 255}`,
    headers: { ...cookie, ...type, ...headers },
    ...(body !== undefined && { payload: body }),
  })
}
type Reply = Awaited<ReturnType<typeof attack>>

const INSIDES =
  /node_modules|\bat \S+ \(|\.ts:\d|\.js:\d|\binsert into\b|\bselect "|relation "|syntax error|argon2|drizzle|pglite|duckdb|ENOENT/i
/** @returns what is wrong with a refusal; empty where it is as it shall be. */
function wrongIn(reply: Reply, statuses: readonly number[]): string[] {
  const wrong: string[] = []
  if (!statuses.includes(reply.statusCode)) wrong.push(`answers ${reply.statusCode}`)
  if (!/^application\/problem\+json/.test(String(reply.headers['content-type']))) wrong.push(`is ${reply.headers['content-type']}`)
  return [...wrong, ...leaksOf(reply)]
}
function leaksOf(reply: Reply): string[] {
  const found = INSIDES.exec(reply.body)?.[0]
  const secret = reply.statusCode >= 400 && reply.body.includes(SECRET) ? ['shows what is in the rows'] : []
  return [...(found === undefined ? [] : [`leaks “${found}”`]), ...secret]
}

/** Attacks every operation of the list. @returns which were not refused as they shall be. */
async function unrefused(list: readonly Operation[], statuses: readonly number[], strike: (o: Operation) => Promise<Reply | Reply[]>) {
  const wrong: string[] = []
  for (const operation of list) {
    const replies = [await strike(operation)].flat()
    for (const reply of replies) {
      for (const what of wrongIn(reply, statuses)) wrong.push(`${operation.name} ${what}: ${reply.body.slice(0, 200)}`)
    }
  }
  return wrong
}

/** @returns which of those that judge by row took one. */
async function takenByRow(as: string): Promise<string[]> {
  const replies = await Promise.all(
    inV1()
      .filter((o) => BY_ROW.includes(o.name))
      .map((o) => attack(aimed(o), { as })),
  )
  expect(replies).toHaveLength(BY_ROW.length)
  return replies.map((r) => r.body).filter((body) => !/"(added|acknowledged)":0\b/.test(body))
}

test('the description has the routes that there are', () => {
  expect(operations.length).toBeGreaterThan(80)
  for (const name of [...OPEN, ...READS_OF_FEW]) expect(operations.map((o) => o.name)).toContain(name)
})

test('without a session, and with one that somebody made up, every route but the way in answers 401', async () => {
  expect(await unrefused(inV1(), [401], (o) => attack(aimed(o)))).toEqual([])
  const forged = { cookie: `sluice_session=${'A'.repeat(43)}` }
  expect(await unrefused(inV1(), [401], (o) => attack(aimed(o), { headers: forged }))).toEqual([])
  const bearer = { authorization: `Bearer sluice_${'A'.repeat(43)}`, cookie: cookies['everything'] ?? '' }
  expect(await unrefused(inV1(), [401], (o) => attack(aimed(o), { headers: bearer }))).toEqual([])
})

test('a viewer changes nothing but what is the viewer’s own, and does not read what is for few', async () => {
  const forMore = inV1().filter(
    (o) => !OWN.test(o.path) && !BY_ROW.includes(o.name) && (o.method !== 'GET' || READS_OF_FEW.includes(o.name)),
  )
  expect(forMore.length).toBeGreaterThan(40)
  expect(await unrefused(forMore, [403, 404], (o) => attack(aimed(o), { as: 'viewer' }))).toEqual([])
  expect(await takenByRow('viewer')).toEqual([])
})

test('whoever holds every role in another area changes nothing in this one and reads nothing of it', async () => {
  const others = changing().filter((o) => !OWN.test(o.path) && !BY_ROW.includes(o.name))
  expect(await unrefused(others, [403, 404], (o) => attack(aimed(o), { as: 'neighbour' }))).toEqual([])
  expect(await takenByRow('neighbour')).toEqual([])
  const told: string[] = []
  for (const o of inV1().filter(({ method }) => method === 'GET')) {
    const { body, statusCode } = await attack(aimed(o), { as: 'neighbour' })
    if (statusCode >= 500 || (statusCode < 400 && /yc-|yichang/.test(body)) || body.includes(SECRET)) told.push(`${o.name}: ${body}`)
  }
  expect(told).toEqual([])
})

test('a request that another site makes a browser send is refused by every route that changes something', async () => {
  const list = [...changing(), ...operations.filter((o) => o.name === 'POST /api/v1/session')]
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: 'http://localhost' },
  ] as Record<string, string>[])
    expect(await unrefused(list, [403], (o) => attack(aimed(o), { as: 'everything', headers }))).toEqual([])
})

test('a body that is broken, too long, of another kind or of wrong types is refused by every route that takes one', async () => {
  const list = operations.filter((o) => o.body)
  expect(list.length).toBeGreaterThan(25)
  const as = 'everything'
  const broken = ['{"a":', '[', '', 'null', '[]', '"text"', '{"__proto__":{"admin":true}}', '\u0000']
  expect(await unrefused(list, [400], (o) => Promise.all(broken.map((raw) => attack(aimed(o), { as, raw }))))).toEqual([])
  // Only a site's configuration and readings by CSV may be so long.
  const long = JSON.stringify({ text: 'x'.repeat(2_000_000) })
  expect(
    await unrefused(
      list.filter((o) => !BY_ROW.includes(o.name)),
      [413],
      (o) => attack(aimed(o), { as, raw: long }),
    ),
  ).toEqual([])
  const deep = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`
  expect(await unrefused(list, [400, 413], (o) => attack(aimed(o), { as, raw: deep }))).toEqual([])
  const kinds = ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded']
  const other = (o: Operation) => Promise.all(kinds.map((k) => attack(aimed(o), { as, raw: '<a/>', headers: { 'content-type': k } })))
  expect(await unrefused(list, [400, 415], other)).toEqual([])
  const wrongType = (o: Operation) =>
    Promise.all(
      (o.body?.required ?? []).map((name) => {
        const { payload, ...request } = aimed(o)
        const right = valueFor(o.body?.properties?.[name] ?? {})
        const odd = typeof right === 'object' && right !== null ? 'text' : { $gt: '' }
        return attack({ ...request, payload: { ...(payload as object), [name]: odd } }, { as })
      }),
    )
  expect(await unrefused(list, [400], wrongType)).toEqual([])
})

const POISON = [
  "'; DROP TABLE people; --",
  "' OR '1'='1",
  '"; DROP MEASUREMENT gate; --',
  '\r\nset-cookie: sluice_session=evil\r\n\r\n<script>',
  '../../../../etc/passwd',
  '..\\..\\windows\\win.ini',
  '\u0000',
  '\ud800',
  '__proto__',
  '%00%2e%2e%2f',
  '9'.repeat(400),
  'NaN',
  '-1',
  '1e999',
] as const

test('SQL, header lines, paths and NUL in a parameter break nothing, get out nothing and set no header', async () => {
  const wrong: string[] = []
  for (const o of operations.filter((x) => x.parameters.length > 0)) {
    for (const { name, in: where } of o.parameters) {
      for (const text of POISON) {
        // Half a pair is no UTF-8: in an address it can only stand as its bytes.
        const clean = text === '\ud800' ? '%ED%A0%80' : text
        const reply = await attack(aimed(o, { [name]: clean }), { as: 'everything' })
        const { statusCode, headers } = reply
        const bad = [
          ...(statusCode >= 500 ? [`answers ${statusCode}`] : []),
          // No row, no file and no other route has such a name.
          ...(where === 'path' && statusCode < 400 ? [`takes it with ${statusCode}`] : []),
          ...(headers['set-cookie'] === undefined ? [] : ['sets a cookie']),
          ...leaksOf(reply),
        ]
        for (const what of bad)
          wrong.push(`${o.name} ${what} for ${name}=${JSON.stringify(clean.slice(0, 40))}: ${reply.body.slice(0, 200)}`)
      }
    }
  }
  expect(wrong).toEqual([])
})

test('the same in any string of a body is refused, or is kept as the text that it is', async () => {
  const wrong: string[] = []
  for (const o of operations.filter((x) => x.body && !/account\/|\/session$/.test(x.path))) {
    for (const text of POISON) {
      const { payload, ...request } = aimed(o)
      for (const changed of withEachString(payload, text)) {
        const reply = await attack({ ...request, payload: changed }, { as: 'everything' })
        const bad = [
          ...(reply.statusCode >= 500 ? [`answers ${reply.statusCode}`] : []),
          ...(reply.headers['set-cookie'] ? ['sets a cookie'] : []),
        ]
        for (const what of bad) wrong.push(`${o.name} ${what} for ${JSON.stringify(changed).slice(0, 200)}: ${reply.body.slice(0, 200)}`)
      }
    }
  }
  expect(wrong).toEqual([])
  expect((await stores.registry.people.list()).map((p) => p.login)).toEqual(expect.arrayContaining(['viewer', 'wang']))
})

test('a session that was chosen before the sign-in is nobody’s after it, and one that was left is dead', async () => {
  const chosen = 'sluice_session=chosen-by-the-attacker'
  const payload = { login: 'viewer', password: PASSWORD }
  const reply = await attack({ method: 'POST', url: '/api/v1/session', payload }, { headers: { cookie: chosen } })
  const [made] = reply.cookies
  expect(made).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/' })
  expect(made?.value).toMatch(/^[\w-]{43}$/)
  const me: Filled = { method: 'GET', url: '/api/v1/session' }
  expect((await attack(me, { headers: { cookie: chosen } })).statusCode).toBe(401)
  const mine = { cookie: `sluice_session=${made?.value}` }
  expect((await attack(me, { headers: mine })).statusCode).toBe(200)
  expect((await attack({ method: 'DELETE', url: '/api/v1/session' }, { headers: mine })).statusCode).toBe(204)
  expect((await attack(me, { headers: mine })).statusCode).toBe(401)
})

test('who tries passwords from one address is stopped, and a person who is tried from many is locked', async () => {
  const tryOne = (login: string, remoteAddress: string) =>
    app.inject({ method: 'POST', url: '/api/v1/session', payload: { login, password: 'guess' }, remoteAddress })
  const fromOne: number[] = []
  for (let i = 0; i < 60; i++) fromOne.push((await tryOne(`guess-${i}`, '192.0.2.1')).statusCode)
  expect(fromOne[0]).toBe(401)
  expect(fromOne.at(-1)).toBe(429)
  const fromMany: number[] = []
  for (let i = 0; i < 12; i++) fromMany.push((await tryOne('engineer', `198.51.100.${i}`)).statusCode)
  expect(new Set(fromMany)).toEqual(new Set([401, 429]))
  const right = await app.inject({ method: 'POST', url: '/api/v1/session', payload: { login: 'engineer', password: PASSWORD } })
  expect(right.statusCode).toBe(429)
})

test('every refusal stands in the log with who, from where and what; no password, cookie or token does', async () => {
  written.length = 0
  const denied = await attack({ method: 'POST', url: '/api/v1/gates/yc-zh-03/stop' }, { as: 'viewer' })
  expect(denied.statusCode).toBe(403)
  await attack({ method: 'POST', url: '/api/v1/session', payload: { login: 'viewer', password: SECRET } })
  await attack({ method: 'GET', url: `/api/v1/gates?area=${SECRET}` }, { headers: { authorization: `Bearer ${SECRET}`, cookie: SECRET } })
  await attack({ method: 'POST', url: '/api/v1/gates/yc-zh-03/stop' }, { headers: { origin: 'https://evil.example' } })
  const lines = written.map((line) => JSON.parse(line) as Json)
  const refusals = lines.filter((l) => l['msg'] === 'refused')
  expect(refusals).toMatchObject([
    {
      method: 'POST',
      url: '/api/v1/gates/yc-zh-03/stop',
      status: 403,
      code: 'NOT_ALLOWED',
      who: 'viewer',
      ip: expect.stringMatching(/^10\./),
    },
    { url: '/api/v1/session', status: 401, code: 'SIGN_IN_REFUSED', who: null },
    { url: '/api/v1/gates', status: 401, code: 'NOT_SIGNED_IN', who: null },
    { url: '/api/v1/gates/yc-zh-03/stop', status: 403, code: 'NOT_ALLOWED', who: null },
  ])
  const text = written.join('')
  expect(text).not.toContain(SECRET)
  for (const cookie of Object.values(cookies)) expect(text).not.toContain(cookie.split('=')[1])
})
