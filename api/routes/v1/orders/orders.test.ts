import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { OrderDetail, OrderList, OrderView } from '#contract/http/order.ts'
import { verifyChain } from '#registry/audit.ts'
import { tempFolder } from '#test/support/servers.ts'
import type { App } from '../../../app.ts'
import { ensurePerson } from '../../../auth/ensure-person.ts'
import { expectProblem } from '../../../testing/problem.ts'
import { cookieOf, NO_BROKER, openStores, PASSWORD, type Stores, startApp } from '../../../testing/start-api.ts'

const folder = tempFolder('orders')
let stores: Stores
let app: App
let clock = Date.UTC(2026, 11, 31, 8, 0)
const cookies: Record<string, string> = {}

beforeAll(async () => {
  stores = await openStores(folder)
  const started = await startApp({
    ...stores,
    mqttUrl: NO_BROKER,
    now: () => clock,
    settings: { sign_in: { tries_per_minute: 10_000 }, control: { second_factor: 'optional' }, session: { ttl_h: 700 } },
  })
  app = started.app
  const more = { li: { role: 'supervisor', area: 'yichang' }, zhao: { role: 'dispatcher', area: 'wulanbuhe' } } as const
  for (const [login, grant] of Object.entries(more))
    await ensurePerson(stores.registry, { login, name: `${login} 某`, password: PASSWORD, grants: [grant] })
  for (const who of ['wang', 'li', 'zhao', 'engineer', 'nobody', 'chief']) cookies[who] = await cookieOf(app, who)
})
afterAll(async () => {
  await app.close()
  await stores.close()
  rmSync(folder, { recursive: true, force: true })
})

const send = (who: string, method: 'GET' | 'POST', path: string, payload?: object) =>
  app.inject({ method, url: `/api/v1${path}`, headers: { cookie: cookies[who] ?? '' }, ...(payload && { payload }) })
const asked = (change: object = {}) => ({
  structure: 'yc-zh-03',
  target: { kind: 'flow', flow_m3s: 8.5 },
  reason: '冬灌结束，减小流量',
  effective_at: clock + 3_600_000,
  travel_min: 60,
  ...change,
})
async function draft(change: object = {}): Promise<OrderView> {
  const reply = await send('wang', 'POST', '/orders', asked(change))
  expect(reply.statusCode, reply.body).toBe(201)
  return reply.json<OrderView>()
}
const step = (who: string, id: string, deed: string, note = '') => send(who, 'POST', `/orders/${id}/steps`, { deed, note })
const detail = async (who: string, id: string): Promise<OrderDetail> => (await send(who, 'GET', `/orders/${id}`)).json<OrderDetail>()

test('an order goes from its draft to its end by the people whose turn it is, each step with name and time in the trail', async () => {
  const { id, number, year } = await draft()
  expect(await detail('wang', id)).toMatchObject({ may: ['cancel'], order: { state: 'draft', timing: 'in_time' }, commands: [] })
  expect((await detail('li', id)).may).toEqual(['review', 'cancel'])
  const turns = [
    ['li', 'review'],
    ['wang', 'issue'],
    ['engineer', 'receive'],
    ['engineer', 'begin'],
    ['wang', 'finish'],
    ['engineer', 'report', '10:20 调到位，下游正常'],
    ['li', 'close'],
  ] as const
  for (const [who, deed, note] of turns) {
    const reply = await step(who, id, deed, note)
    expect([deed, reply.statusCode]).toEqual([deed, 200])
    const trail = await stores.registry.audit.list({ subject: `${year}-${number}` }, { limit: 1, offset: 0 })
    expect(trail.items[0]).toMatchObject({ who, action: `order.${deed}` })
  }
  const { order, may } = await detail('wang', id)
  expect(order.steps.map((s) => [s.state, s.by])).toEqual([
    ['draft', 'wang'],
    ['reviewed', 'li'],
    ['issued', 'wang'],
    ['received', 'engineer'],
    ['executing', 'engineer'],
    ['done', 'wang'],
    ['feedback', 'engineer'],
    ['closed', 'li'],
  ])
  expect(order.steps[1]).toMatchObject({ by_name: 'li 某', at: clock })
  expect([order.timing, may]).toEqual(['ended', []])
  expect(await verifyChain(stores.registry.audit)).toMatchObject({ kind: 'whole' })
})

test('nobody does what is another’s: the author reviews nothing, another area sees nothing, a viewer does nothing', async () => {
  const { id } = await draft()
  expectProblem(await step('wang', id, 'review'), 403, 'NOT_ALLOWED')
  expectProblem(await step('engineer', id, 'review'), 403, 'NOT_ALLOWED')
  expectProblem(await step('chief', id, 'review'), 403, 'NOT_ALLOWED')
  expectProblem(await step('zhao', id, 'review'), 404, 'NOT_FOUND')
  expectProblem(await step('nobody', id, 'cancel', 'x'), 404, 'NOT_FOUND')
  expectProblem(await send('zhao', 'GET', `/orders/${id}`), 404, 'NOT_FOUND')
  expectProblem(await send('zhao', 'POST', '/orders', asked()), 403, 'NOT_ALLOWED')
  expectProblem(await send('engineer', 'POST', '/orders', asked()), 403, 'NOT_ALLOWED')
  for (const [method, path, body] of [
    ['GET', '/orders'],
    ['GET', `/orders/${id}`],
    ['POST', '/orders', asked()],
    ['POST', `/orders/${id}/steps`, { deed: 'review' }],
  ] as const)
    expectProblem(await send('', method, path, body), 401, 'NOT_SIGNED_IN')
  const own = await step('li', id, 'review')
  expect(own.statusCode).toBe(200)
  expectProblem(await step('engineer', id, 'issue'), 403, 'NOT_ALLOWED')
  expectProblem(await step('wang', id, 'cancel', '写错了'), 403, 'NOT_ALLOWED')
  expect((await send('zhao', 'GET', '/orders')).json<OrderList>().total).toBe(0)
  const seen = (await send('chief', 'GET', '/orders?limit=1')).json<OrderList>()
  expect(seen.items.map((o) => o.id)).toEqual([id])
})

test('a step out of turn, without the note it needs, or pressed by two at once is made once or not at all', async () => {
  const { id } = await draft()
  expectProblem(await step('wang', id, 'issue'), 409, 'CONFLICT')
  expectProblem(await step('li', id, 'cancel'), 400, 'BAD_REQUEST')
  const both = await Promise.all([step('li', id, 'review'), step('li', id, 'review')])
  expect(both.map((r) => r.statusCode).sort()).toEqual([200, 409])
  expect((await detail('li', id)).order.steps).toHaveLength(2)
  expect((await step('li', id, 'cancel', '上游来水变化')).statusCode).toBe(200)
  expectProblem(await step('li', id, 'review'), 409, 'CONFLICT')
})

test('an order not received within 15 minutes is told, and it is late only after the water’s travel time', async () => {
  const { id } = await draft()
  await step('li', id, 'review')
  await step('wang', id, 'issue')
  const timing = async () => (await detail('li', id)).order.timing
  clock += 15 * 60_000
  expect(await timing()).toBe('in_time')
  clock += 1
  expect(await timing()).toBe('unanswered')
  await step('engineer', id, 'receive')
  clock += 44 * 60_000 + 3_600_000
  expect(await timing()).toBe('in_time')
  clock += 60_000
  expect(await timing()).toBe('overdue')
  await step('engineer', id, 'begin')
  await step('engineer', id, 'finish')
  expect(await timing()).toBe('ended')
})

test('numbers run through the year of Beijing', async () => {
  const last = await draft()
  clock = Date.UTC(2026, 11, 31, 16, 0)
  const [first, second] = [await draft(), await draft()]
  expect([last.year, first.year, first.number, second.number]).toEqual([2026, 2027, 1, 2])
})

test('a command names an order of its own gate that has been received, and no other', async () => {
  const { id } = await draft()
  const select = (gate: string) =>
    send('wang', 'POST', `/gates/${gate}/commands`, { action: { kind: 'open', opening_m: 0.5, leaf: null }, order: id })
  const reason = async (gate: string) => (await select(gate)).json<{ detail: string }>().detail
  expect(await reason('yc-zh-03')).toContain('this order is not one of the gate')
  await step('li', id, 'review')
  await step('wang', id, 'issue')
  await step('engineer', id, 'receive')
  expect(await reason('yc-zh-04')).toContain('this order is not one of the gate')
  // No signing key here: past the order, that is what is missing.
  expect(await reason('yc-zh-03')).not.toContain('order')
})

test('what an order can not be is refused', async () => {
  for (const change of [
    { reason: ' ' },
    { target: { kind: 'flow', flow_m3s: -1 } },
    { target: { kind: 'stop' } },
    { travel_min: -1 },
    { effective_at: 'tomorrow' },
    { number: 7 },
  ])
    expectProblem(await send('wang', 'POST', '/orders', asked(change)), 400, 'BAD_REQUEST')
  expectProblem(await send('wang', 'POST', '/orders', asked({ structure: 'none' })), 404, 'NOT_FOUND')
})
