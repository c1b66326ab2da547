/** The dashboard in Chromium on the real demo: each page, both languages, live. */
import { rmSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser, screenshot, signIn, visit } from '../support/browser.ts'
import { type Demo, startDemo } from '../support/demo.ts'
import { tempFolder, until } from '../support/servers.ts'

const folder = tempFolder('browser')
let demo: Demo
let browser: Browser
beforeAll(async () => {
  demo = await startDemo(folder, { pollMs: 1000 })
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await demo?.program.stop()
  rmSync(folder, { recursive: true, force: true })
})

const levelOf = (gate: string): string => `[data-gate="${gate}"] .up`

test('a dispatcher signs in and sees every gate by area, in Chinese, moving', async () => {
  const { page, troubles, close } = await visit(browser, demo.address)
  await signIn(page, demo.who)
  await page.locator('[data-gate="zg-zg-01"], [data-gate]').first().waitFor()
  await until(async () => expect(await page.locator('[data-test="condition-normal"]').innerText()).toContain('94'))
  expect(await page.locator('[data-test="gates"]').innerText()).toContain('总干渠')
  const gate = (await page.locator('[data-gate]').first().getAttribute('data-gate')) ?? ''
  const shown = await page.locator(levelOf(gate)).innerText()
  expect(shown).toMatch(/^−?\d+\.\d{3}\s*m$/)
  await until(async () => expect(await page.locator(levelOf(gate)).innerText()).not.toBe(shown), 15_000)
  await screenshot(page, 'overview')

  await page.locator('[data-test="filter"]').fill('永济干渠进水闸')
  await until(async () => expect(await page.locator('[data-gate]').count()).toBe(1))
  await page.locator('[data-gate="yj-yj-01"] a').click()
  await page.locator('[data-test="trend"] canvas').first().waitFor()
  expect(await page.locator('[data-metric="level_up"]').innerText()).toContain('闸上水位')
  expect(await page.locator('[data-metric]').count()).toBeGreaterThanOrEqual(11)
  await until(async () => expect(await page.locator('[data-metric="flow"]').innerText()).toMatch(/\d+\.\d{2}\s*m³\/s/))
  await screenshot(page, 'gate')
  expect(troubles).toEqual([])
  await close()
})

test('the same in English, on a dark screen and on a phone', async () => {
  const { page, troubles, close } = await visit(browser, demo.address, { dark: true, width: 390, height: 844 })
  await page.locator('[data-test="locale"]').selectOption('en')
  await signIn(page, demo.who)
  await page.locator('[data-gate]').first().waitFor()
  await until(async () => expect(await page.locator('[data-test="condition-normal"]').innerText()).toContain('94'))
  expect(await page.locator('body').innerText()).not.toMatch(/[闸渠孔]/)
  await screenshot(page, 'overview-phone-dark-en')
  await page.locator('[data-gate] a').first().click()
  await page.locator('[data-test="trend"] canvas').first().waitFor()
  expect(await page.locator('[data-metric="level_up"]').innerText()).toContain('Upstream level')
  await screenshot(page, 'gate-phone-dark-en')
  expect(troubles).toEqual([])
  await close()
})

test('zooming into the chart asks history again, and going back does too', async () => {
  const { page, close } = await visit(browser, `${demo.address}/gates/yj-yj-01`)
  await signIn(page, demo.who)
  const chart = page.locator('[data-test="pane-level"] .u-over')
  await chart.waitFor()
  await page.locator('[data-test="pane-level"] canvas').waitFor()
  const asked: URL[] = []
  page.on('request', (r) => {
    if (r.url().includes('/history?')) asked.push(new URL(r.url()))
  })
  const box = await chart.boundingBox()
  if (!box) throw new Error('the chart is not drawn')
  await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.95, box.y + box.height / 2, { steps: 5 })
  // A hand is slower than a frame: the chart takes the selection from the last one that it drew.
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))')
  await page.mouse.up()
  const minutesAsked = (): number[] => asked.map((u) => (Number(u.searchParams.get('to')) - Number(u.searchParams.get('from'))) / 60_000)
  // 15 % of the hour that the chart shows.
  await until(async () => expect(minutesAsked().at(-1)).toBeCloseTo(9, 0))
  await page.locator('[data-test="zoom-back"]').click()
  await until(async () => expect(minutesAsked().at(-1)).toBeCloseTo(60, 0))
  await close()
})

test('a lost server is told within seconds, and the view is right again when it is back, without a reload', async () => {
  const { page, close } = await visit(browser, demo.address)
  await signIn(page, demo.who)
  await page.locator('[data-gate]').first().waitFor()
  await until(async () => expect(await page.locator('[data-test="condition-normal"]').innerText()).toContain('94'))
  await demo.program.kill()
  await until(async () => expect(await page.locator('[data-test="link-banner"]').innerText()).not.toBe(''), 10_000)
  await screenshot(page, 'connection-lost')
  await demo.program.start()
  await until(async () => expect(await page.locator('[data-test="link-banner"]').innerText()).toBe(''), 60_000)
  await until(async () => expect(await page.locator('[data-test="condition-normal"]').innerText()).toContain('94'), 30_000)
  await close()
})
