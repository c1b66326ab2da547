/** The map over pictures of a tile server: one that answers, one that never does, and none at all. The gates are there with each. */
import { rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensurePerson } from '#api/auth/ensure-person.ts'
import { LOG, NO_BROKER, startApp } from '#api/testing/start-api.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { openHistory } from '#history/open.ts'
import { openRegistry } from '#registry/open.ts'
import { openBrowser, screenshot, signIn, visit } from '../support/browser.ts'
import { root } from '../support/program.ts'
import { copyRegistry } from '../support/registry-template.ts'
import { freePort, tempFolder, until } from '../support/servers.ts'

const folder = tempFolder('map-tiles')
const who = { login: 'lookout', password: 'a long enough password' }
const closers: (() => Promise<unknown>)[] = []
let browser: Browser
let stores: Pick<Parameters<typeof startApp>[0], 'registry' | 'history'>
beforeAll(async () => {
  browser = await openBrowser()
  closers.push(() => browser.close())
  const registry = await openRegistry(await copyRegistry(join(folder, 'registry')), { log: LOG, migrationsFolder: 'registry/migrations' })
  closers.push(() => registry.close())
  const history = await openHistory(`duckdb:${join(folder, 'history.duckdb')}`, { log: LOG })
  closers.push(() => history.close())
  await registry.district.seed(await loadDistrict(join(root, 'districts', 'hetao')))
  await ensurePerson(registry, { ...who, name: 'Lookout', grants: [{ role: 'dispatcher', area: null }] })
  stores = { registry, history }
})
afterAll(async () => {
  for (const close of closers.toReversed()) await close()
  rmSync(folder, { recursive: true, force: true })
})

async function startTileServer(answer: 'pictures' | 'silence'): Promise<{ origin: string; asked: string[] }> {
  const page = await browser.newPage({ viewport: { width: 256, height: 256 } })
  await page.setContent('<body style="margin:0;background:linear-gradient(#7a9a6a,#b9a26c)"></body>')
  const picture = await page.screenshot({ type: 'png' })
  await page.close()
  const asked: string[] = []
  const server: Server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (answer === 'pictures') response.writeHead(200, { 'content-type': 'image/png', 'access-control-allow-origin': '*' }).end(picture)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  closers.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

/** Opens the map over the tiles of `origin`. */
async function openMap(origin: string) {
  const layers = [{ url: `${origin}/{z}/{x}/{y}.png`, attribution: '测绘局' }]
  const { app } = await startApp({
    ...stores,
    mqttUrl: NO_BROKER,
    dashboardFolder: join(root, 'dist', 'dashboard'),
    settings: { map: { layers } },
  })
  closers.push(() => app.close())
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  const visitor = await visit(browser, address, { width: 1600, height: 960 })
  await signIn(visitor.page, who)
  await visitor.page.locator('[data-gate]').first().waitFor()
  await visitor.page.goto(`${address}/map`)
  return visitor
}

test('pictures of the configured server lie under the canals and gates, with its name, and nothing else is asked of it', async () => {
  const { origin, asked } = await startTileServer('pictures')
  const { page, troubles, close } = await openMap(origin)
  await page.locator('[data-test="map"][data-drawn="94"]').waitFor()
  expect(asked.length).toBeGreaterThan(3)
  for (const path of asked) expect(path).toMatch(/^\/\d+\/\d+\/\d+\.png$/)
  expect(await page.locator('[data-test="map"]').innerText()).toContain('测绘局')
  await screenshot(page, 'map-tiles')
  expect(troubles.filter((t) => !t.startsWith(`asked ${origin}/`) && !t.includes('WebSocket'))).toEqual([])
  await close()
})

test('a tile server that never answers, or is not there, keeps no gate from the map', async () => {
  const silent = await startTileServer('silence')
  const shown = await openMap(silent.origin)
  await shown.page.locator('[data-test="map"][data-ready="true"]').waitFor()
  await until(async () => expect(silent.asked.length).toBeGreaterThan(3))
  await until(async () => expect(await shown.page.locator('[data-test="map"]').getAttribute('data-drawn')).toBe('94'))
  await screenshot(shown.page, 'map-tiles-silent')
  await shown.close()
  const gone = await openMap(`http://127.0.0.1:${await freePort()}`)
  await gone.page.locator('[data-test="map"][data-drawn="94"]').waitFor()
  await gone.close()
})
