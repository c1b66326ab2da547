import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RealServer, startMosquitto, tempFolder } from '#test/support/servers.ts'
import type { App } from './app.ts'
import { openApi } from './main.ts'
import { expectProblem } from './testing/problem.ts'
import { cookieOf, LOG, NO_BROKER, openStores, type Stores, settingsWith, startApp } from './testing/start-api.ts'

const ASSET = `console.log("${'sluice '.repeat(500)}")`

const folder = tempFolder('api')
let stores: Stores
let broker: RealServer
let app: App

beforeAll(async () => {
  stores = await openStores(folder)
  broker = await startMosquitto()
  const page = join(folder, 'dashboard')
  mkdirSync(join(page, 'assets'), { recursive: true })
  writeFileSync(join(page, 'index.html'), '<!doctype html><title>Sluice</title>')
  writeFileSync(join(page, 'assets', 'index-abc123.js'), ASSET)
  writeFileSync(join(page, 'assets', 'packed-abc123.js'), ASSET)
  writeFileSync(join(page, 'assets', 'packed-abc123.js.br'), brotliCompressSync(`/* ready made */${ASSET}`))
  writeFileSync(join(page, '.secret'), 'secret')
  writeFileSync(join(folder, 'outside.txt'), 'outside')
  const started = await startApp({
    ...stores,
    mqttUrl: broker.url,
    dashboardFolder: page,
    settings: { sign_in: { tries_per_minute: 1000 } },
  })
  app = started.app
})
afterAll(async () => {
  await app.close()
  await stores.close()
  await broker.stop()
  rmSync(folder, { recursive: true, force: true })
})

const get = async (url: string, cookie?: string) => app.inject({ url, headers: cookie === undefined ? {} : { cookie } })

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
    const alone = await startApp({ ...stores, mqttUrl: NO_BROKER })
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
    const wide = await startApp({ ...stores, mqttUrl: broker.url, settings: { http: { host: '0.0.0.0' } } })
    expectProblem(await wide.app.inject('/metrics'), 403, 'NOT_ALLOWED')
    await wide.app.close()
    const open = await startApp({ ...stores, mqttUrl: broker.url, settings: { http: { host: '0.0.0.0', metrics: 'everyone' } } })
    expect((await open.app.inject({ url: '/metrics', remoteAddress: '10.0.0.9' })).statusCode).toBe(200)
    await open.app.close()
  })

  test('a proxy that is no address is named at the start', async () => {
    const started = startApp({ ...stores, mqttUrl: broker.url, settings: { http: { trust_proxy: ['10.0.0.0/8', 'nginx'] } } })
    await expect(started).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('nginx') })
  })

  test('a port in use is named, with what to do', async () => {
    const first = await openApi(settingsWith({ http: { port: 0 } }), {
      log: LOG,
      ...stores,
      mqttUrl: broker.url,
      dashboardFolder: undefined,
    })
    const port = Number(new URL(first.address).port)
    const second = openApi(settingsWith({ http: { port } }), { log: LOG, ...stores, mqttUrl: broker.url, dashboardFolder: undefined })
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
    const known = [
      'DELETE /api/v1/session',
      'GET /api/openapi.json',
      'GET /api/v1/areas',
      'GET /api/v1/canals',
      'GET /api/v1/dead-letters',
      'GET /api/v1/gates',
      'GET /api/v1/gates/{id}',
      'GET /api/v1/gates/{id}/history',
      'GET /api/v1/session',
      'DELETE /api/v1/views/{id}',
      'GET /api/v1/views',
      'PUT /api/v1/views',
      'GET /api/v1/sites',
      'GET /api/v1/situation',
      'GET /api/v1/shift/entries',
      'GET /api/v1/shift/handovers',
      'GET /api/v1/shift/open',
      'POST /api/v1/shift/entries',
      'POST /api/v1/shift/entries/{id}/close',
      'POST /api/v1/shift/handovers',
      'POST /api/v1/shift/handovers/{id}/take',
      'GET /healthz',
      'GET /metrics',
      'GET /readyz',
      'POST /api/v1/gates',
      'POST /api/v1/session',
      'POST /api/v1/sites',
      'DELETE /api/v1/canals/{id}/hold',
      'DELETE /api/v1/lockouts/{id}',
      'GET /api/v1/commands',
      'GET /api/v1/commands/{id}',
      'GET /api/v1/gates/{id}/control',
      'GET /api/v1/holds',
      'GET /api/v1/lockouts',
      'POST /api/v1/canals/{id}/hold/offer',
      'POST /api/v1/commands/{id}/approve',
      'POST /api/v1/commands/{id}/cancel',
      'POST /api/v1/commands/{id}/confirm',
      'POST /api/v1/gates/{id}/commands',
      'POST /api/v1/gates/{id}/lockouts',
      'POST /api/v1/gates/{id}/stop',
      'PUT /api/v1/canals/{id}/hold',
    ]
    for (const operation of known) expect(operations).toContain(operation)
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

  test('pictures behind the map may come from the configured tile server, and scripts still from nowhere else', async () => {
    const layers = [{ url: 'https://tiles.example:8443/vec/{z}/{x}/{y}.png?tk=KEY', attribution: '某图' }]
    const alone = await startApp({ ...stores, mqttUrl: NO_BROKER, settings: { map: { layers } } })
    const cookie = await cookieOf(alone.app, 'wang')
    const { headers, body } = await alone.app.inject({ url: '/api/v1/map', headers: { cookie } })
    const policy = String(headers['content-security-policy'])
    expect(
      policy
        .split(';')
        .filter((p) => p.includes('example'))
        .toSorted(),
    ).toEqual(["connect-src 'self' https://tiles.example:8443", "img-src 'self' data: https://tiles.example:8443"])
    expect(policy).toContain("script-src 'self';")
    expect(JSON.parse(body)).toEqual({ layers })
    await alone.app.close()
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
    const { address, close } = await openApi(settingsWith({ http: { port: 0 } }), {
      log: LOG,
      ...stores,
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
