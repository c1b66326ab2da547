/** A gate is moved from Chromium over a GPRS link, step by step; and what the agent refuses stands on the screen with its reason, in the dispatcher's words. */
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PASSWORD } from '#api/testing/start-api.ts'
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
/** Selects and confirms, as a dispatcher does. */
async function order(kind: 'open' | 'flow', target: number): Promise<void> {
  await at('command-kind').selectOption(kind)
  await at('command-target').fill(target.toFixed(3))
  await at('select').click()
  await at('confirm').click()
}
const fault = async (order: object | null): Promise<void> => {
  const headers = { 'content-type': 'application/json' }
  const body = order && { method: 'POST', headers, body: JSON.stringify({ site: 'yc-s012', unit: 1, ...order }) }
  expect((await fetch(plant.faultsUrl, body ?? { method: 'DELETE' })).ok).toBe(true)
}
const shownIs = (metric: string, text: string): Promise<void> =>
  until(async () => expect(await page.locator(`[data-metric="${metric}"]`).innerText()).toContain(text), 30_000)

test('over GPRS a dispatcher selects, sees what it will do, confirms, sees it move, and it is done when the encoder says so', async () => {
  await until(async () => expect(await opening()).toBeGreaterThan(0), 30_000)
  const target = Math.round(((await opening()) + 0.05) * 1000) / 1000
  await until(
    async () =>
      expect(await page.request.get(`${address}/api/v1/gates/${GATE}/control`).then((r) => r.json())).toMatchObject({
        status: { time: 'trusted' },
      }),
    60_000,
  )
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

test('what is beyond the limits, too far at once, or can not flow is refused with the reason', async () => {
  // Before it has stood for some seconds a leaf is busy.
  await new Promise((resolve) => setTimeout(resolve, 5000))
  await order('open', 2.6)
  await shows('command-state', '现地拒绝: 目标超出闸门限位')
  const here = await opening()
  await order('open', here > 1.2 ? here - 0.7 : here + 0.7)
  await shows('command-state', '一次动作过大')
  await order('flow', 900)
  await shows('command-state', '此流量无法达到')
})

test('the hand switch on local, a fault of the drive and a bad sensor are refused with the reason', async () => {
  const target = (await opening()) + 0.03
  const troubles = [
    { order: { kind: 'spike', metric: 'mode', by: -1, share: 1 }, metric: 'mode', shown: '现地', reason: '现地转换开关在“现地”' },
    { order: { kind: 'spike', metric: 'fault', by: 16, share: 1 }, metric: 'fault', shown: '16', reason: '设备故障' },
    { order: { kind: 'spike', metric: 'level_up', by: 500, share: 1 }, metric: 'level_up', shown: '', reason: '传感器坏值' },
  ]
  for (const trouble of troubles) {
    await fault(trouble.order)
    await shownIs(trouble.metric, trouble.shown)
    await new Promise((resolve) => setTimeout(resolve, 2500))
    await order('open', target)
    await shows('command-state', trouble.reason)
    await screenshot(page, `command-refused-${trouble.metric}`)
    await fault(null)
  }
})

test('a leaf that does not move, and one that is stopped, are told as that, and not as done', async () => {
  await new Promise((resolve) => setTimeout(resolve, 4000))
  const target = (await opening()) + 0.05
  await fault({ kind: 'frozen', metric: 'opening' })
  await order('open', target)
  await shows('command-state', '未完成: 闸门未动')
  await screenshot(page, 'command-no-movement')
  await fault(null)
  await new Promise((resolve) => setTimeout(resolve, 6000))
  await order('open', (await opening()) + 0.3)
  await shows('command-state', '闸门正在动作')
  await at('select').click()
  await at('confirm').click()
  await shows('command-trouble', '此闸另一命令尚未结束')
  await at('stop').click()
  await until(async () => {
    const { items } = (await (await page.request.get(`${address}/api/v1/commands?gate=${GATE}`)).json()) as {
      items: { reason: string | null }[]
    }
    expect(items.map((c) => c.reason)).toContain('stopped')
  }, 30_000)
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
})

test('an agent whose clock is wrong takes nothing but stop, and the screen says so before anything is ordered', async () => {
  await plant.restartEdge({ clockErrorMs: 600_000 })
  await until(async () => expect(await at('command-panel').innerText()).toContain('时钟未与中心核对，只接受停止命令'), 60_000)
  await order('open', (await opening()) + 0.03)
  await shows('command-state', '现地时钟未核对')
  await screenshot(page, 'command-no-time')
  expect(visitor.troubles.filter((t) => !t.includes('409'))).toEqual([])
})
