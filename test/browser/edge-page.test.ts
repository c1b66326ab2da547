import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
import { pino } from 'pino'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseConfig } from '#contract/config.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { loadProfiles } from '#edge-agent/load-profiles.ts'
import { type Edge, openEdge } from '#edge-agent/main.ts'
import { type Page, servePage } from '#edge-agent/page/serve.ts'
import { EdgeSettings } from '#edge-agent/settings.ts'
import { openSimulators, type Simulators } from '#simulators/main.ts'
import { openBrowser, screenshot, type Visitor, visit } from '#test/support/browser.ts'
import { root } from '#test/support/program.ts'
import { tempFolder, until } from '#test/support/servers.ts'

const log = pino({ level: 'silent' })
const PASSWORD = 'gatehouse by the canal'
const folder = tempFolder('edge-page')
let simulators: Simulators
let edge: Edge
let served: Page
let browser: Browser
beforeAll(async () => {
  const profiles = await loadProfiles(join(root, 'edge-agent', 'profiles'))
  const profile = profiles.get('sluice-gate-rtu')
  if (!profile) throw new Error('no profile')
  const district = await loadDistrict(join(root, 'districts', 'hetao'))
  simulators = await openSimulators(
    { district, profile, host: '127.0.0.1', basePort: 0, seed: 1, sites: ['sg-s001'] },
    { now: Date.now, logger: log },
  )
  const password_hash = await hash(PASSWORD, { memoryCost: 19_456, timeCost: 2, parallelism: 1 })
  const settings = parseConfig(EdgeSettings, {
    file: 'site.yaml',
    text: JSON.stringify({
      site: 'sg-s001',
      area: 'zonggan',
      broker: { url: 'mqtt://127.0.0.1:9' },
      outbox: { path: join(folder, 'outbox') },
      poll: { interval_ms: 500 },
      page: { port: 0, password_hash },
      buses: [
        {
          name: 'gatehouse',
          host: '127.0.0.1',
          port: simulators.sites[0]?.port,
          devices: [{ structure: 'sg-zh-01', unit: 1, profile: 'sluice-gate-rtu', leaves: 2 }],
        },
      ],
    }),
  })
  edge = await openEdge(settings, { log, profiles })
  served = await servePage(settings.page ?? { host: '127.0.0.1', port: 0 }, { edge, profiles, log })
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await served?.close()
  await edge?.close()
  await simulators?.close()
  rmSync(folder, { recursive: true, force: true })
})

const onPhone = (locale: 'zh-CN' | 'en-GB' = 'zh-CN'): Promise<Visitor> =>
  visit(browser, served.address, { width: 390, height: 844, locale })
async function enter({ page }: Visitor): Promise<void> {
  await page.locator('input[type=password]').fill(PASSWORD)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: '实时读数' }).waitFor()
}
/** @returns the opening, m, once two readings in a row tell the same: a leaf that was stopped may be read while it still moved. */
async function standsStill(opening: () => Promise<number>): Promise<number> {
  let last = await opening()
  await until(async () => {
    const before = last
    await new Promise((passed) => setTimeout(passed, 1500))
    last = await opening()
    expect(last).toBe(before)
    // The leaf rests before its controller says so, and until then a move is refused.
    expect(edge.status().devices[0]?.readings['moving']).toMatchObject({ quality: 'good', value: 0 })
  })
  return last
}

const fits = (v: Visitor): Promise<boolean> => v.page.evaluate('document.documentElement.scrollWidth <= innerWidth')

test('who has no password sees nothing and moves nothing, and a page of somebody else is refused', async () => {
  const { address } = served
  expect((await fetch(`${address}/api/status`)).status).toBe(401)
  const json = { 'content-type': 'application/json' }
  expect((await fetch(`${address}/api/stop`, { method: 'POST', headers: json, body: '{"structure":"sg-zh-01","leaf":1}' })).status).toBe(
    401,
  )
  expect(
    (
      await fetch(`${address}/api/sign-in`, {
        method: 'POST',
        headers: { ...json, origin: 'http://evil.example' },
        body: JSON.stringify({ password: PASSWORD }),
      })
    ).status,
  ).toBe(403)
  const wrong = await fetch(`${address}/api/sign-in`, { method: 'POST', headers: json, body: '{"password":"guess"}' })
  expect(wrong.status).toBe(429)
  // Too soon, even the right one waits.
  expect(
    (await fetch(`${address}/api/sign-in`, { method: 'POST', headers: json, body: JSON.stringify({ password: PASSWORD }) })).status,
  ).toBe(429)
  await until(async () => {
    expect(
      (await fetch(`${address}/api/sign-in`, { method: 'POST', headers: json, body: JSON.stringify({ password: PASSWORD }) })).status,
    ).toBe(200)
  })
})

test('on a phone: live readings, a scan, the word order by the staff gauge, a stroke, the signature', async () => {
  const visitor = await onPhone()
  const { page, troubles } = visitor
  await enter(visitor)
  await until(async () =>
    expect(
      await page
        .getByRole('row', { name: /闸上水位/ })
        .first()
        .textContent(),
    ).toMatch(/\d\.\d.*正常/),
  )
  expect(await fits(visitor)).toBe(true)
  await screenshot(page, 'edge-page-live')

  const scan = page.locator('form', { has: page.getByRole('button', { name: '扫描站号' }) })
  await scan.locator('[name=to]').fill('4')
  await scan.getByRole('button').click()
  await page.getByText('2 个站号有应答').waitFor()

  const level = edge.status().devices[0]?.readings['level_up']
  const compare = page.locator('form', { has: page.getByRole('button', { name: '对照' }) })
  await compare.locator('[name=gauge]').fill(level?.quality === 'good' ? level.value.toFixed(2) : '0')
  await compare.getByRole('button').click()
  await page.getByText('- { metric: level_up, address: 0, type: float32, order: ABCD }').waitFor()
  await page.getByRole('heading', { name: '对照水尺试字序' }).scrollIntoViewIfNeeded()
  await screenshot(page, 'edge-page-word-order')

  // The simulated gate is automatic until it is told something: a stop is something.
  await page.getByRole('button', { name: '停止' }).click()
  await page.getByText('设备已接受停止').waitFor()
  const opening = async (): Promise<number> => {
    const r = edge.status().devices[0]?.readings['opening']
    return r?.quality === 'good' ? r.value : Number.NaN
  }
  const move = page.locator('form', { has: page.getByRole('button', { name: '开始移动' }) })
  const stood = await standsStill(opening)
  const target = stood + 0.05
  await move.locator('[name=to_m]').fill(target.toFixed(3))
  await move.getByRole('button').click()
  await until(async () => expect(await page.locator('main').innerText()).toContain('到位'), 60_000)
  expect(Math.abs((await opening()) - target)).toBeLessThan(0.02)

  const sign = page.locator('form', { has: page.getByRole('button', { name: '签署投运记录' }) })
  await sign.locator('[name="gauge level_up"]').fill('5.80')
  await sign.locator('[name=by]').fill('王工')
  await sign.getByRole('button').click()
  await page.getByText('已签署并存入本机').waitFor()
  await page.getByText('王工 · 待送中心').waitFor()
  await screenshot(page, 'edge-page-signed')
  expect(edge.records.list()[0]?.record).toMatchObject({
    structure: 'sg-zh-01',
    by: '王工',
    gauges: [{ metric: 'level_up', gauge: 5.8 }],
    strokes: [{ leaf: 1, end: 'arrived' }],
  })
  expect(await fits(visitor)).toBe(true)
  expect(troubles).toEqual([])
  await visitor.close()
})

test('the page speaks English when asked, and remembers it', async () => {
  const visitor = await onPhone()
  await enter(visitor)
  await visitor.page.getByRole('button', { name: 'English' }).click()
  await visitor.page.getByRole('heading', { name: 'Stroke test' }).waitFor()
  await visitor.page.reload()
  await visitor.page.getByRole('heading', { name: 'Readings', exact: true }).waitFor()
  expect(visitor.troubles).toEqual([])
  await visitor.close()
})
