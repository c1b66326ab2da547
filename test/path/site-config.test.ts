/** A site's configuration from the center: the API, real Mosquitto, a slow link, and an agent as a process that is killed in between. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { App } from '#api/app.ts'
import { makeKeyFile } from '#api/control/signer.ts'
import { cookieOf, openStores, type Stores, startApp } from '#api/testing/start-api.ts'
import { parseConfig } from '#contract/config.ts'
import type { SiteView } from '#contract/http/site.ts'
import type { SiteConfigList, SiteConfigText, SiteConfigView } from '#contract/http/site-config.ts'
import { unixMs } from '#contract/units.ts'
import { type Ingest, openIngest } from '#ingest/main.ts'
import { IngestSettings } from '#ingest/settings.ts'
import { type Link, openLink } from '#simulators/link.ts'
import { type Program, startProgram } from '../support/program.ts'
import { type RealServer, startMosquitto, tempFolder, until } from '../support/servers.ts'

const log = pino({ level: 'silent' })
const SITE_KEY = Buffer.alloc(32, 5).toString('base64url')
const folder = tempFolder('site-config')
const abort = new AbortController()
let mosquitto: RealServer
let stores: Stores
let link: Link
let ingest: Ingest
let app: App
let agent: Program
let cookie: string

beforeAll(async () => {
  mosquitto = await startMosquitto()
  stores = await openStores(folder)
  const { registry, history } = stores
  await registry.keys.put([
    { site: 'yc-s012', area: 'yichang', siteKey: SITE_KEY, mqttUser: 'yc-s012', mqttHash: 'none', madeAt: Date.now() },
  ])
  const keyFile = join(folder, 'commands.pem')
  const publicKey = makeKeyFile(keyFile)
  const broker = { url: mosquitto.url }
  ingest = await openIngest(parseConfig(IngestSettings, { file: 'test', text: '' }), { broker, history, registry, log }, abort.signal)
  ;({ app } = await startApp({
    registry,
    history,
    mqttUrl: mosquitto.url,
    settings: { control: { key_file: keyFile }, sign_in: { tries_per_minute: 1000 } },
  }))
  cookie = await cookieOf(app, 'engineer')
  // A round trip takes 1.6 s: longer than what a silence of 1 s waits for.
  link = await openLink(
    { settings: { latency_ms: 800 }, listen: { host: '127.0.0.1', port: 0 }, target: { host: '127.0.0.1', port: mosquitto.port }, seed: 1 },
    { log },
  )
  const file = join(folder, 'yc-s012.yaml')
  writeFileSync(
    file,
    `site: yc-s012
area: yichang
broker: { url: mqtt://127.0.0.1:${link.port}, username: yc-s012, password: not told }
outbox: { path: ${join(folder, 'outbox')} }
journal: ${join(folder, 'journal.jsonl')}
control: { command_keys: [${publicKey}], site_key: ${SITE_KEY}, state: ${join(folder, 'control')} }
report: { silence_ms: 0 }
poll:
  interval_ms: 1000 # every second
buses:
  - name: levels
    host: 127.0.0.1
    port: 9
    timeout_ms: 500
    devices: [{ structure: yc-zh-03, unit: 1, profile: ulm-53l }]
`,
  )
  agent = await startProgram('agent', ['edge', 'run', '--config', file], { ready: 'edge agent runs' })
})
afterAll(async () => {
  await agent?.kill()
  abort.abort()
  await app?.close()
  await ingest?.close()
  await link?.close()
  await stores?.close()
  await mosquitto?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const get = async <T>(path: string): Promise<T> => {
  const reply = await app.inject({ method: 'GET', url: `/api/v1/sites/yc-s012${path}`, headers: { cookie } })
  if (reply.statusCode !== 200) throw new Error(reply.body)
  return reply.json() as T
}
const post = (path: string, payload?: object, as = cookie) =>
  app.inject({ method: 'POST', url: `/api/v1/sites/yc-s012/configs${path}`, headers: { cookie: as }, ...(payload && { payload }) })
const send = async (text: string, more: object = {}): Promise<SiteConfigView> => {
  const reply = await post('', { text, basis: null, why: 'test', trial_s: 60, ...more })
  expect(reply.statusCode, reply.body).toBe(201)
  return reply.json() as SiteConfigView
}
const list = async (): Promise<SiteConfigList['items']> => (await get<SiteConfigList>('/configs')).items
const becomes = async ({ id }: SiteConfigView, state: SiteConfigView['state']): Promise<SiteConfigView> => {
  await until(async () => expect(await list()).toContainEqual(expect.objectContaining({ id, state })), 60_000)
  const found = (await list()).find((c) => c.id === id)
  if (!found) throw new Error('it is gone')
  return found
}
const shown = async () => (await get<SiteView>('')).state?.health
let text: string

test('an engineer reads what a site runs with, its secrets apart, and nobody else does', async () => {
  await until(async () => expect(await shown()).toMatchObject({ config_version: null, config_hash: expect.any(String) }), 60_000)
  expect((await post('/read', undefined, await cookieOf(app, 'wang'))).statusCode).toBe(403)
  expect((await post('/read')).statusCode).toBe(202)
  await until(async () => expect(await list()).toHaveLength(1), 30_000)
  const [told] = await list()
  expect(told).toMatchObject({ version: 0, state: 'told', hash: (await shown())?.config_hash })
  text = (await get<SiteConfigText>(`/configs/${told?.id}`)).text
  expect(text).toContain('interval_ms: 1000 # every second')
  expect(text).not.toContain('not told')
})

test('a sound one is taken over, and its number is shown', async () => {
  const { config_hash } = (await shown()) ?? {}
  const sent = await send(text.replace('interval_ms: 1000', 'interval_ms: 2000'), { basis: config_hash })
  await becomes(sent, 'in_force')
  await until(async () => expect(await shown()).toMatchObject({ config_version: 1, config_hash: sent.hash }), 30_000)
})

test('one with a mistake is refused with its line, and what runs goes on', async () => {
  const refused = await becomes(await send(text.replace('interval_ms: 1000', 'interval_ms: fast')), 'refused')
  const line = text.split('\n').findIndex((l) => l.includes('interval_ms')) + 1
  expect(refused.reason).toMatch(new RegExp(`^version-2\\.yaml:${line}:\\d+: poll\\.interval_ms: `))
  expect(await shown()).toMatchObject({ config_version: 1 })
})

test('one that cuts the agent off is gone back on by itself, though the agent is killed meanwhile', async () => {
  const cutting = await send(`${text}broker: { silence_ms: 1000 }\n`, { trial_s: 10 })
  await until(async () => expect(readFileSync(join(folder, 'outbox', 'from-center.json'), 'utf8')).toContain('"trial":{'), 30_000)
  await agent.kill()
  await agent.start()
  const back = await becomes(cutting, 'rolled_back')
  expect(back.reason).toContain('was not heard within 10 s')
  await until(async () => expect(await shown()).toMatchObject({ config_version: 1 }), 30_000)
})

test('the way back: an earlier text is sent again as a new version', async () => {
  const [told] = (await list()).filter((c) => c.state === 'told')
  const reply = await post(`/${told?.id}/again`, { why: 'as it was' })
  expect(reply.statusCode, reply.body).toBe(201)
  await becomes(reply.json() as SiteConfigView, 'in_force')
  expect((await list()).map((c) => [c.version, c.state])).toEqual([
    [4, 'in_force'],
    [3, 'rolled_back'],
    [2, 'refused'],
    [1, 'replaced'],
    [0, 'told'],
  ])
})

test('over all of it each reading that was kept is in history, and the trail tells who did what', async () => {
  const kept = (): number[] =>
    readFileSync(join(folder, 'journal.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .flatMap((line) => {
        const { t, readings } = JSON.parse(line) as { t?: number; readings?: Record<string, unknown> }
        return t !== undefined && readings && 'level_up' in readings ? [t] : []
      })
  await agent.stop()
  const times = kept()
  expect(times.length).toBeGreaterThan(10)
  await agent.start()
  const [from, to] = [unixMs(Math.min(...times)), unixMs(Math.max(...times) + 1)]
  await until(async () => {
    const columns = await stores.history.range({ gate: 'yc-zh-03', metrics: ['level_up'], from, to, points: 1 })
    expect(columns.series['level_up']?.bad.reduce((n, x) => n + x, 0)).toBe(times.length)
  }, 60_000)
  const trail = await stores.registry.audit.list({ subject: 'yc-s012' }, { limit: 100, offset: 0 })
  expect(trail.items.map((e) => `${e.who} ${e.action}`)).toEqual(
    expect.arrayContaining([
      'engineer config.send',
      'agent yc-s012 config.in_force',
      'agent yc-s012 config.refused',
      'agent yc-s012 config.rolled_back',
    ]),
  )
})
