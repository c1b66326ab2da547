import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { inflateSync } from 'node:zlib'
import { connectAsync, type MqttClient } from 'mqtt'
import { io, type Socket } from 'socket.io-client'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { ClientToServer, Problem, ServerToClient, StateMessage, Watch } from '#contract/http.ts'
import type { LiveState } from '#contract/live.ts'
import { liveTopic } from '#contract/topics.ts'
import { type RealServer, startMosquitto, tempFolder, until } from '#test/support/servers.ts'
import type { App } from '../app.ts'
import { liveState, liveValue } from '../testing/district.ts'
import { cookieOf, NO_BROKER, openStores, type Stores, startApp } from '../testing/start-api.ts'

type Live = Socket<ServerToClient, ClientToServer>
const folder = tempFolder('rooms')
let broker: RealServer
let stores: Stores
let publisher: MqttClient
let app: App
let url = ''
let aheadMs = 0
const opened: Live[] = []

beforeAll(async () => {
  broker = await startMosquitto()
  stores = await openStores(folder)
  publisher = await connectAsync(broker.url)
  await publish(liveState('yc-zh-03', { level_up: liveValue(1000, 1.25) }))
  await publish(liveState('wl-zh-01', { level_up: liveValue(1000, 2.5) }))
  const started = await startApp({
    ...stores,
    mqttUrl: broker.url,
    now: () => Date.now() + aheadMs,
    settings: { session: { recheck_ms: 200 } },
  })
  app = started.app
  url = await app.listen({ host: '127.0.0.1', port: 0 })
  await until(async () => expect(await liveGates()).toBe(2))
})
afterEach(() => {
  for (const socket of opened.splice(0)) socket.disconnect()
})
afterAll(async () => {
  await app.close()
  await publisher.endAsync()
  await stores.close()
  await broker.stop()
  rmSync(folder, { recursive: true, force: true })
})

const publish = (state: LiveState) =>
  publisher.publishAsync(liveTopic(state.area, state.gate), JSON.stringify(state), { qos: 1, retain: true })
async function metric(name: string): Promise<number> {
  const { body } = await app.inject('/metrics')
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(body)?.[1])
}
const liveGates = () => metric('sluice_live_gates')

/** A client that keeps what it is sent. */
function open(cookie: string | undefined, options: { transports?: string[]; headers?: Record<string, string> } = {}) {
  const socket: Live = io(url, {
    forceNew: true,
    reconnection: false,
    transports: options.transports ?? ['websocket'],
    extraHeaders: { ...(cookie === undefined ? {} : { cookie }), ...options.headers },
  })
  opened.push(socket)
  const messages: (StateMessage & { arrived: number })[] = []
  socket.on('state', (message) => messages.push({ ...message, arrived: performance.now() }))
  const ended = new Promise<string>((done) => socket.once('disconnect', (reason) => done(reason)))
  const failed = new Promise<Error & { data?: Problem }>((done) => socket.once('connect_error', done))
  const gates = (): string[] => [...new Set(messages.flatMap((m) => m.gates.map((g) => g.gate)))].sort()
  /** The newest level of a gate that came, in whichever message. */
  const newest = (gate: string) => messages.flatMap((m) => m.gates.filter((g) => g.gate === gate)).at(-1)?.metrics['level_up']
  return { socket, messages, ended, failed, gates, newest, watch: (watch: Watch) => socket.timeout(5000).emitWithAck('watch', watch) }
}

test('who is not signed in is told so', async () => {
  expect((await open(undefined).failed).data).toMatchObject({ code: 'NOT_SIGNED_IN', status: 401 })
  expect((await open('sluice_session=AAAA').failed).data).toMatchObject({ code: 'NOT_SIGNED_IN' })
})

test('another site’s page gets no connection, even with the cookie', async () => {
  const cookie = await cookieOf(app, 'chief')
  const foreign = open(cookie, { headers: { origin: 'http://evil.example' } })
  expect((await foreign.failed).data).toBeUndefined()
  const own = open(cookie, { headers: { origin: url } })
  expect(await own.watch({})).toEqual({ ok: true })
})

test.each([['websocket'], ['polling']])('by %s: the whole state at once, then what changes', async (transport) => {
  const client = open(await cookieOf(app, 'chief'), { transports: [transport] })
  expect(await client.watch({})).toEqual({ ok: true })
  await expect.poll(() => client.messages.length, { timeout: 5000 }).toBe(1)
  const [first] = client.messages
  expect(first).toMatchObject({ full: true })
  expect(Math.abs((first?.at ?? 0) - Date.now())).toBeLessThan(60_000)
  expect(client.gates()).toEqual(['wl-zh-01', 'yc-zh-03'])

  const t = Date.now()
  await publish(liveState('yc-zh-03', { level_up: liveValue(t, 1.5) }))
  await expect.poll(() => client.messages.length, { timeout: 5000 }).toBe(2)
  expect(client.messages[1]).toMatchObject({
    full: false,
    gates: [{ gate: 'yc-zh-03', area: 'yichang', metrics: { level_up: { t, v: 1.5 } } }],
  })
})

test('a gate’s last state is in the REST reply too, and a late sample does not replace it', async () => {
  const t = Date.now()
  await publish(liveState('yc-zh-04', { flow: liveValue(t, 7) }))
  await publish(liveState('yc-zh-04', { flow: liveValue(t - 5000, 3), level_up: liveValue(t - 5000, 1) }))
  const headers = { cookie: await cookieOf(app, 'wang') }
  const state = async (): Promise<unknown> => (await app.inject({ url: '/api/v1/gates/yc-zh-04', headers })).json().state
  await expect.poll(state, { timeout: 5000 }).toMatchObject({ metrics: { level_up: { v: 1 }, flow: { t, v: 7 } } })
})

test('a person sees the own areas only, whatever is asked for', async () => {
  const cookie = await cookieOf(app, 'wang')
  const all = open(cookie)
  await all.watch({})
  const byName = open(cookie)
  await byName.watch({ gates: ['wl-zh-01', 'yc-zh-03'] })
  const byArea = open(cookie)
  expect(await byArea.watch({ areas: ['wulanbuhe'] })).toEqual({ ok: false, detail: 'none of these areas may be seen: wulanbuhe' })
  const t = Date.now()
  await publish(liveState('wl-zh-01', { level_up: liveValue(t, 3) }))
  await publish(liveState('yc-zh-03', { level_up: liveValue(t, 3) }))
  for (const client of [all, byName]) await expect.poll(() => client.newest('yc-zh-03'), { timeout: 5000 }).toEqual(liveValue(t, 3))
  expect(all.gates()).not.toContain('wl-zh-01')
  expect(byName.gates()).toEqual(['yc-zh-03'])
  expect(byArea.messages).toEqual([])
})

test('what is no watch request is refused, and the connection stays', async () => {
  const client = open(await cookieOf(app, 'chief'))
  const send = (...args: unknown[]) => client.socket.timeout(5000).emitWithAck('watch', ...(args as [Watch]))
  for (const nonsense of [null, 5, 'gates', { gates: 'yc-zh-03' }, { gates: [5] }, { rooms: [] }]) {
    expect(await send(nonsense)).toMatchObject({ ok: false })
  }
  client.socket.emit('watch', {}) // no acknowledgement asked for
  await expect.poll(() => client.messages.length, { timeout: 5000 }).toBe(1)
})

test('however fast a gate changes, a client gets two messages a second at most, and the last state', async () => {
  const client = open(await cookieOf(app, 'chief'))
  await client.watch({ gates: ['yc-zh-03'] })
  const t0 = Date.now()
  for (let i = 1; i <= 150; i++) {
    await publish(liveState('yc-zh-03', { level_up: liveValue(t0 + i, i) }))
    await sleep(10)
    if (i % 50 === 0) await client.watch({ gates: ['yc-zh-03'] })
  }
  await expect.poll(() => client.newest('yc-zh-03')?.v, { timeout: 5000 }).toBe(150)
  const [first, last] = [client.messages[0]?.at ?? 0, client.messages.at(-1)?.at ?? 0]
  expect(client.messages.length).toBeLessThanOrEqual(2 + (last - first) / 500)
})

test('signing out closes the session’s live connections and no others', async () => {
  const cookie = await cookieOf(app, 'wang')
  const mine = open(cookie)
  const other = open(await cookieOf(app, 'wang'))
  await mine.watch({})
  await other.watch({})
  await app.inject({ method: 'DELETE', url: '/api/v1/session', headers: { cookie } })
  expect(await mine.ended).toBe('io server disconnect')
  expect(await other.watch({})).toEqual({ ok: true })
  expect((await open(cookie).failed).data).toMatchObject({ code: 'NOT_SIGNED_IN' })
})

test('a session ended at another node, or at its time, ends its live connections', async () => {
  const client = open(await cookieOf(app, 'wang'))
  await client.watch({})
  const other = await startApp({ ...stores, mqttUrl: broker.url })
  const cookie = await cookieOf(other.app, 'wang')
  const elsewhere = open(cookie)
  await elsewhere.watch({})
  await other.app.inject({ method: 'DELETE', url: '/api/v1/session', headers: { cookie } })
  expect(await elsewhere.ended).toBe('io server disconnect')
  await other.app.close()

  expect(client.socket.connected).toBe(true)
  aheadMs = 13 * 3_600_000
  expect(await client.ended).toBe('io server disconnect')
  aheadMs = 0
})

test('the broker may be away and come back: live connections stay and get the new states', async () => {
  const client = open(await cookieOf(app, 'chief'))
  await client.watch({})
  await broker.kill()
  await expect.poll(() => metric('sluice_mqtt_connected'), { timeout: 10_000 }).toBe(0)
  expect((await app.inject('/readyz')).statusCode).toBe(503)
  await broker.start()
  await expect.poll(() => metric('sluice_mqtt_connected'), { timeout: 15_000 }).toBe(1)
  const t = Date.now() + 1000
  await publish(liveState('yc-zh-03', { level_up: liveValue(t, 9) }))
  await expect.poll(() => client.newest('yc-zh-03')?.t, { timeout: 5000 }).toBe(t)
})

test('retained states of thousands of gates all arrive', async () => {
  const many = await startMosquitto()
  const sender = await connectAsync(many.url)
  const metrics = Object.fromEntries(['level_up', 'level_down', 'opening', 'opening_2', 'flow'].map((m) => [m, liveValue(1, 1)]))
  const state = (i: number): LiveState => ({ gate: `g-${i}`, area: 'yichang', site: 'yc-s012', online: true, metrics })
  await Promise.all(
    Array.from({ length: 5000 }, (_, i) =>
      sender.publishAsync(liveTopic('yichang', `g-${i}`), JSON.stringify(state(i)), { qos: 1, retain: true }),
    ),
  )
  const { app: busy } = await startApp({ ...stores, mqttUrl: many.url })
  const gates = async (): Promise<number> => Number(/^sluice_live_gates (\d+)$/m.exec((await busy.inject('/metrics')).body)?.[1])
  await expect.poll(gates, { timeout: 20_000 }).toBe(5000)
  await busy.close()
  await sender.endAsync()
  await many.stop()
})

test('a server starts while the broker is away', async () => {
  const { app: alone } = await startApp({ ...stores, mqttUrl: NO_BROKER })
  expect((await alone.inject('/healthz')).statusCode).toBe(200)
  await alone.close()
})

test('clients that read packed messages are told the same as the others, each its own areas, and everything anew after each watch', async () => {
  type Told = { at: number; full: boolean; gates: LiveState[] }
  const packed = (cookie: string) => {
    const client = open(cookie)
    const told: Told[] = []
    client.socket.on('packed', ({ kind, at, full, bytes }) => {
      const message = JSON.parse(inflateSync(bytes).toString()) as Told
      expect(message.full).toBe(full)
      if (kind === 'state') told.push({ ...message, at })
    })
    return {
      ...client,
      told,
      newest: (gate: string) => told.flatMap((m) => m.gates.filter((g) => g.gate === gate)).at(-1)?.metrics['level_up'],
    }
  }
  const [chief, wang] = [await cookieOf(app, 'chief'), await cookieOf(app, 'wang')]
  const clients = [packed(chief), packed(chief), packed(wang)]
  for (const client of clients) {
    expect(await client.watch({ packed: true })).toEqual({ ok: true })
    await expect.poll(() => client.told.length, { timeout: 5000 }).toBe(1)
    expect(client.told[0]?.full).toBe(true)
  }
  // After all that was told in the tests before.
  const t = Date.now() + 5000
  await publish(liveState('yc-zh-03', { level_up: liveValue(t, 4) }))
  await publish(liveState('wl-zh-01', { level_up: liveValue(t, 5) }))
  for (const client of clients) await expect.poll(() => client.newest('yc-zh-03'), { timeout: 5000 }).toEqual(liveValue(t, 4))
  for (const client of clients.slice(0, 2)) await expect.poll(() => client.newest('wl-zh-01'), { timeout: 5000 }).toEqual(liveValue(t, 5))
  expect(clients[2]?.told.flatMap((m) => m.gates.map((g) => g.area))).not.toContain('wulanbuhe')
  expect(clients.flatMap((c) => c.messages)).toEqual([])
  const [first] = clients
  const before = first?.told.length ?? 0
  await first?.watch({ packed: true, gates: ['yc-zh-03'] })
  await expect.poll(() => first?.told.length, { timeout: 5000 }).toBe(before + 1)
  expect(first?.told.at(-1)?.gates.map((g) => g.gate)).toEqual(['yc-zh-03'])
  expect(Math.abs((first?.told.at(-1)?.at ?? 0) - Date.now())).toBeLessThan(60_000)
})
