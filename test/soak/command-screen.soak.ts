/** A gate is moved from Chromium over a GPRS link, step by step. What is refused there, and how it reads, is in command-refusals.soak.ts. */
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { PASSWORD } from '#api/testing/start-api.ts'
import type { CommandView, GateControl, Selected } from '#contract/http/command.ts'
import { openBrowser, screenshot, signIn, type Visitor, visit } from '../support/browser.ts'
import { type ControlPlant, startControlPlant } from '../support/control-plant.ts'
import { root } from '../support/program.ts'
import { until } from '../support/servers.ts'

const GATE = 'yc-zh-03'
let plant: ControlPlant
let browser: Browser
let visitor: Visitor
let page: Page
let address: string
beforeAll(async () => {
  plant = await startControlPlant({
    dashboardFolder: join(root, 'dist', 'dashboard'),
    link: 'gprs',
  })
  address = await plant.app.listen({ host: '127.0.0.1', port: 0 })
  browser = await openBrowser()
  visitor = await visit(browser, `${address}/gates/${GATE}`)
  page = visitor.page
  await signIn(page, { login: 'wang', password: PASSWORD })
  await at('command-target').waitFor()
  await shows('control-mode', '手动')
})
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await screenshot(page, `failed-${task.name.slice(0, 20)}`)
})
afterAll(async () => {
  await browser?.close()
  await plant?.close()
})

const at = (name: string) => page.locator(`[data-test="${name}"]`)
const shows = (name: string, text: string): Promise<void> =>
  until(async () => expect(await at(name).innerText({ timeout: 500 })).toContain(text), 30_000)
const opening = async (): Promise<number> => {
  const text = await page.locator('[data-metric="opening"]').innerText()
  return Number(/(\d\.\d{3})\s*m/.exec(text)?.[1])
}
const control = async (): Promise<GateControl> =>
  (await (await page.request.get(`${address}/api/v1/gates/${GATE}/control`)).json()) as GateControl
/** The agent that runs since `since` has agreed with the center: what one said that has ended stands until then. */
const trusted = (since = 0): Promise<void> =>
  until(async () => {
    const { status } = await control()
    expect(status?.time).toBe('trusted')
    expect(status?.t).toBeGreaterThan(since)
  }, 60_000)
/** Selects and confirms, as a dispatcher does. */
async function order(target: number): Promise<void> {
  await at('command-target').fill(target.toFixed(3))
  await at('select').click()
  await at('confirm').click()
}
test('over GPRS a dispatcher selects, sees what it will do, confirms, sees it move, and it is done when the encoder says so', async () => {
  await until(async () => expect(await opening()).toBeGreaterThan(0), 30_000)
  const target = Math.round(((await opening()) + 0.05) * 1000) / 1000
  await trusted()
  await at('command-target').fill(target.toFixed(3))
  await at('select').click()
  await shows('preview', '预计流量')
  await screenshot(page, 'command-preview')
  await at('confirm').click()
  await shows('command-state', '闸门正在动作')
  await screenshot(page, 'command-moving')
  await shows('command-state', '已完成（编码器已核对）')
  await until(async () => expect(Math.abs((await opening()) - target)).toBeLessThanOrEqual(0.006), 30_000)
  await screenshot(page, 'command-done')
})

test('while the gate is tagged out nothing can be ordered but stop, and the screen says by whom and why', async () => {
  await page.locator('input[aria-label="挂牌原因"]').fill('检修钢丝绳')
  await at('tag').click()
  await shows('tagged', '已挂牌：检修钢丝绳（wang，')
  expect(await at('select').count()).toBe(0)
  expect(await at('stop').isEnabled()).toBe(true)
  await screenshot(page, 'command-tagged')
  await at('lift').click()
  await at('select').waitFor()
  // The agent knows it too.
  await until(async () => {
    const { items } = (await (await page.request.get(`${address}/api/v1/commands?gate=${GATE}`)).json()) as { items: CommandView[] }
    expect(items[0]).toMatchObject({ action: { kind: 'untag' }, state: 'done' })
  }, 30_000)
})

test('an agent whose clock is wrong takes nothing but stop, and the screen says so before anything is ordered', async () => {
  await plant.restartEdge({ clockErrorMs: 600_000 })
  await until(async () => expect(await at('command-panel').innerText()).toContain('时钟未与中心核对，只接受停止命令'), 60_000)
  await order((await opening()) + 0.03)
  await shows('command-state', '现地时钟未核对')
  await screenshot(page, 'command-no-time')
  expect(visitor.troubles.filter((t) => !t.includes('409'))).toEqual([])
})

test('a preset is carried out while the link is down, and what came of it is on the screen when the link is back', async () => {
  await plant.restartEdge()
  await trusted(Date.now())
  const target = Math.round(((await opening()) + 0.03) * 1000) / 1000
  const time = Date.now() + 15_000
  const presets = [{ at: time, action: { kind: 'open', opening_m: target, leaf: null } }]
  const post = (path: string, data: object) => page.request.post(`${address}/api/v1${path}`, { data })
  const { command } = (await (await post(`/gates/${GATE}/commands`, { action: { kind: 'schedule', presets } })).json()) as Selected
  expect((await post(`/commands/${command.id}/confirm`, {})).status()).toBe(202)
  const row = (site: string) => page.locator(`[data-test="preset"][data-site="${site}"]`)
  await row('held').waitFor({ timeout: 12_000 })
  const backAt = Date.now() + 45_000
  plant.link?.outage(45_000)
  await row('due').waitFor({ timeout: 30_000 })
  await screenshot(page, 'preset-due')
  await row('done').waitFor({ timeout: 150_000 })
  await screenshot(page, 'preset-done')
  const [past] = (await control()).status?.past ?? []
  expect(past).toMatchObject({ at: time, state: 'done', reason: null })
  // By the agent’s own clock, before anybody could have told it.
  expect(past?.t).toBeLessThan(backAt)
  await until(async () => expect(Math.abs((await opening()) - target)).toBeLessThanOrEqual(0.006), 60_000)
})
