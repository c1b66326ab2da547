/** The dashboard in Chromium on the real demo: each page, both languages, live. */
import { readFileSync, rmSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { axeFaults } from '../support/axe.ts'
import { openBrowser, screenshot, signIn, visit } from '../support/browser.ts'
import { type Demo, startDemo } from '../support/demo.ts'
import { tempFolder, until } from '../support/servers.ts'

const folder = tempFolder('browser')
let demo: Demo
let browser: Browser
beforeAll(async () => {
  demo = await startDemo(folder, { pollMs: 2000 })
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await demo?.program.stop()
  rmSync(folder, { recursive: true, force: true })
})

const levelOf = (gate: string): string => `[data-gate="${gate}"] .up`

test('a dispatcher signs in and sees every gate by area, in Chinese, moving', async () => {
  const { page, troubles, bytes, close } = await visit(browser, demo.address)
  await signIn(page, demo.who)
  await page.locator('[data-gate="zg-zg-01"], [data-gate]').first().waitFor()
  await until(async () => expect(await page.locator('[data-test="diverted-now"]').innerText()).toMatch(/当前引水\s+\d+\.\d\s*m³\/s/))
  await until(async () => expect(await page.locator('[data-test="diverted-today"]').innerText()).toMatch(/\d+\.\d\s*万m³\s*± \d/))
  // At its start it has heard of no site yet.
  await until(async () => expect(await page.locator('[data-test="lost-sites"]').innerText()).toMatch(/失联站点\s+0/))
  await until(async () => expect(await page.locator('[data-test="condition-normal"]').innerText()).toContain('94'))
  expect(await page.locator('[data-test="gates"]').innerText()).toContain('总干渠')
  const gate = (await page.locator('[data-gate]').first().getAttribute('data-gate')) ?? ''
  const shown = await page.locator(levelOf(gate)).innerText()
  expect(shown).toMatch(/^−?\d+\.\d{3}\s*m$/)
  await until(async () => expect(await page.locator(levelOf(gate)).innerText()).not.toBe(shown), 15_000)
  await screenshot(page, 'overview')
  // The sign-in page and the start page on a cold cache, with the district's data.
  expect(await bytes()).toBeLessThan(300_000)

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
  const minutesAsked = (): number => {
    const query = asked.at(-1)?.searchParams
    return (Number(query?.get('to')) - Number(query?.get('from'))) / 60_000
  }
  // A hand that is faster than the drawing is followed in part or not at all: then it is moved again.
  await until(async () => {
    const box = await chart.boundingBox()
    if (!box) throw new Error('the chart is being drawn anew')
    await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.95, box.y + box.height / 2, { steps: 5 })
    await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))')
    await page.mouse.up()
    await page.waitForTimeout(500)
    // At most 15 % of the hour that the chart shows, half of that before it, and what there is between it and now.
    expect(minutesAsked()).toBeLessThan(9 + 4.5 + 12)
  })
  const back = page.locator('[data-test="zoom-back"]')
  await until(async () => {
    // One step for each time the hand was moved.
    if (await back.isEnabled()) await back.click()
    expect(minutesAsked()).toBeCloseTo(90, 0)
  })
  await close()
})
test('a link opens the trends that somebody else looks at, of any gates; they are moved, saved and exported', async () => {
  const { page, troubles, close } = await visit(browser, `${demo.address}/trends?s=yj-yj-01:level_up,flow;zg-zg-03:level_up&last=1800000`)
  await signIn(page, demo.who)
  await page.locator('[data-test="pane-flow"] canvas').waitFor()
  const caption = page.locator('[data-test="pane-level"] figcaption')
  await until(async () =>
    expect(await caption.innerText()).toMatch(/永济干渠进水闸 闸上水位\s+\d\.\d{3}[\s\S]*一闸\) 闸上水位\s+\d\.\d{3}/),
  )
  await page.locator('[data-test="picker"] summary').click()
  await page.locator('[data-test="find-gate"]').fill('沈乌干渠进水闸')
  await page.locator('[data-test="picker"] input[value="opening"]').check()
  await page.locator('[data-test="pane-opening"] canvas').waitFor()
  await page.locator('[data-test="picker"] summary').click()
  await until(async () => expect(new URL(page.url()).searchParams.get('s')).toContain('opening'))
  await page.locator('[data-test="panes"]').press('ArrowLeft')
  await until(async () => expect(Number(new URL(page.url()).searchParams.get('to'))).toBeGreaterThan(0))
  const moved = page.url()
  const name = '夜班'
  await page.locator('[data-test="views"] summary').click()
  await page.locator('[data-test="view-name"]').fill(name)
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name, exact: true }).waitFor()
  await page.locator('[data-test="to-live"]').click()
  await until(async () => expect(page.url()).toContain('last=3600000'))
  await page.getByRole('button', { name, exact: true }).click()
  await until(async () => expect(page.url()).toBe(moved))
  await page.locator('[data-test="views"] summary').click()
  const [picture] = await Promise.all([page.waitForEvent('download'), page.locator('[data-test="png"]').click()])
  expect(
    readFileSync(await picture.path())
      .subarray(1, 4)
      .toString(),
  ).toBe('PNG')
  const [csv] = await Promise.all([page.waitForEvent('download'), page.locator('[data-test="csv"]').click()])
  expect(readFileSync(await csv.path(), 'utf8').split('\n')[0]).toContain('metric')
  await screenshot(page, 'trends')
  expect(troubles).toEqual([])
  await close()
})

test('an engineer changes the configuration of a site, sees a mistake with its line, and the version in force', async () => {
  const { page, troubles, close } = await visit(browser, `${demo.address}/sites`)
  await signIn(page, demo.who)
  await page.locator('[data-site="yj-s001"] a').click()
  await page.locator('[data-test="ask"]').click()
  const editor = page.locator('[data-test="text"]')
  await editor.waitFor()
  const before = await editor.inputValue()
  const change = async (to: string, why: string): Promise<void> => {
    await editor.fill(before.replace(/interval_ms: .*/, `interval_ms: ${to}`))
    await page.locator('[data-test="why"]').fill(why)
    await page.locator('[data-test="send"]').click()
  }
  await change('often', '试试')
  await until(async () =>
    expect(await page.locator('[data-test="answer"]').innerText()).toMatch(/version-1\.yaml:\d+:\d+: poll\.interval_ms/),
  )
  await screenshot(page, 'site-config-refused')
  await change('2500', '夜间省流量')
  expect(await page.locator('[data-test="diff"]').innerText()).toContain('interval_ms: 2500')
  await until(async () => expect(await page.locator('[data-version="2"]').innerText()).toContain('已生效'), 30_000)
  await until(async () => expect(await page.locator('[data-test="running"]').innerText()).toContain('第 2 版'), 30_000)
  await until(async () => expect(await page.locator('[data-test="diff"]').count()).toBe(0))
  await screenshot(page, 'site-config')
  await page.locator('[data-test="locale"]').selectOption('en')
  await page.setViewportSize({ width: 390, height: 844 })
  await screenshot(page, 'site-config-phone-en')
  expect(troubles).toEqual([])
  await close()
})

test('an analyst marks a stretch bad and withdraws it, enters a gauging beside the sensor, and is told what can’t be calibrated yet', async () => {
  const { page, troubles, close } = await visit(browser, `${demo.address}/gates/yj-yj-01`)
  await signIn(page, demo.who)
  const at = (test: string) => page.locator(`[data-test="${test}"]`)
  await at('to-review').click()
  await at('review').waitFor()
  await at('panes').locator('canvas').first().waitFor()
  await at('range1h').click()
  await at('take-span').click()
  await at('correction-metric').selectOption('flow')
  await at('correction-reason').fill('水草缠绕流速仪')
  await at('correct').click()
  const ruled = at('corrections').locator('[data-correction]')
  await until(async () => expect(await at('corrections').innerText()).toMatch(/过闸流量[\s\S]*标为坏值[\s\S]*水草缠绕流速仪[\s\S]*有效/))
  await until(async () => expect(await at('ledger').locator('[data-ledger="corrected"]').count()).toBeGreaterThan(0))
  await at('withdraw').click()
  await at('withdraw-why').fill('看错了闸门')
  await at('withdraw-now').click()
  await until(async () => expect(await ruled.first().innerText()).toContain('已撤销'))
  await at('manual-kind').selectOption('flow')
  await at('manual-value').fill('12.5')
  await at('enter').click()
  await until(async () => expect(await at('manual-report').innerText()).toContain('录入 1 条'))
  await until(async () => expect(await at('manual').locator('[data-manual="flow"]').innerText()).toMatch(/12\.50\s*m³\/s\s+\d+\.\d\d/))
  await until(async () => expect(await at('flow-method').innerText()).toMatch(/12\.50\s+\d+\.\d\d/))
  await page.setViewportSize({ width: 1600, height: 2200 })
  await screenshot(page, 'review')
  expect(troubles).toEqual([])
  await close()
})

test('the map shows every structure though nothing of them changes after it was opened', async () => {
  const { page, troubles, close } = await visit(browser, demo.address, { width: 1600, height: 960 })
  await signIn(page, demo.who)
  await page.locator('[data-gate]').first().waitFor()
  await page.goto(`${demo.address}/map`)
  await page.locator('[data-test="map"][data-drawn="94"]').waitFor()
  expect(troubles).toEqual([])
  await close()
})

const WALKED: Readonly<Record<string, { path: string; ready: string }>> = {
  overview: { path: '/', ready: '[data-gate]' },
  alarms: { path: '/alarms', ready: 'main h1' },
  schematic: { path: '/schematic', ready: '[data-test="schematic"]' },
  map: { path: '/map', ready: '[data-test="map"][data-ready="true"]' },
  notifications: { path: '/notifications', ready: '[data-test="nobody"]' },
  trends: { path: '/trends?s=yj-yj-01:level_up,level_down,flow&last=1800000', ready: '[data-test="pane-flow"] canvas' },
  shift: { path: '/shift', ready: '[data-test="open-now"]' },
  sites: { path: '/sites', ready: '[data-site]' },
  'dead-letters': { path: '/dead-letters', ready: 'main h1' },
  gate: { path: '/gates/yj-yj-01', ready: '[data-test="pane-level"] canvas' },
  review: { path: '/gates/yj-yj-01/review', ready: '[data-test="ledger"] .shares' },
  orders: { path: '/orders', ready: 'main h1' },
  people: { path: '/people', ready: '[data-test="people"]' },
  account: { path: '/account', ready: '[data-test="tokens"]' },
  'site configuration': { path: '/sites/yj-s001/config', ready: 'main h1' },
  volumes: { path: '/volumes?g=yj-yj-01,zg-zg-03&step=hour', ready: '[data-test="volumes"]' },
  balance: { path: '/balance?in=zg-zg-01&offtakes=yj-yj-01&step=day', ready: '[data-test="balance"]' },
  reports: { path: '/reports?kind=day', ready: '[data-test="report-table"]' },
  past: { path: `/?past=${Date.now() - 60_000}`, ready: '[data-test="past-bar"]' },
  consultations: { path: '/consultations', ready: 'main h1' },
  wall: { path: '/wall', ready: '[data-test="wall"] [data-test="totals"]' },
}

const LOOKS = [
  ['zh', 'light'],
  ['en', 'dark'],
] as const
/** The pages that are looked at most, in both; the others in turn. SLUICE_WALK=all walks all of them in both and keeps a picture of each. */
const IN_BOTH: readonly string[] = ['overview', 'alarms', 'gate']
const WALK_ALL = process.env['SLUICE_WALK'] === 'all'

test('every page can be read, in Chinese on light or in English on dark: no rule of WCAG AA is broken', async () => {
  const { page, troubles, close } = await visit(browser, demo.address)
  await signIn(page, demo.who)
  await page.locator('[data-gate]').first().waitFor()
  // The rules do bite: words that are nearly as grey as their ground are found.
  await page.evaluate(`for (const cell of document.querySelectorAll('[data-gate] .type')) cell.style.color = '#ddd'`)
  expect((await axeFaults(page)).join()).toContain('color-contrast')
  const faults: string[] = []
  for (const [i, [name, { path, ready }]] of Object.entries(WALKED).entries()) {
    for (const [look, [locale, theme]] of LOOKS.entries()) {
      if (i % 2 !== look && !WALK_ALL && !IN_BOTH.includes(name)) continue
      // Both are kept in the browser; a page is opened with them.
      await page.evaluate(`localStorage.setItem('sluice.locale', '${locale}'); localStorage.setItem('sluice.theme', '${theme}')`)
      await page.goto(demo.address + path)
      await page.locator(ready).first().waitFor()
      faults.push(...(await axeFaults(page)).map((fault) => `${name} ${locale} ${theme} ${fault}`))
      if (WALK_ALL) await screenshot(page, `walk-${name}-${locale}-${theme}`)
    }
  }
  expect(faults).toEqual([])
  expect(troubles).toEqual([])
  await close()
})

test('a link opens a past moment, marked as such on every page and with nothing to operate but a stop; it is played, kept as a consultation and left', async () => {
  const { page, troubles, close } = await visit(browser, demo.address)
  await signIn(page, demo.who)
  await page.locator('[data-gate]').first().waitFor()
  let moment = 0
  let level: unknown
  await until(async () => {
    // Long enough ago that every value of then has reached history.
    moment = Date.now() - 15_000
    level = await page.evaluate(
      `fetch('/api/v1/past?from=${moment + 1}&to=${moment + 1}&step_ms=1').then((r) => r.json()).then((past) => past.gates['yj-yj-01']?.metrics.level_up?.v[0])`,
    )
    expect(level).toBeTypeOf('number')
  }, 60_000)
  await page.goto(`${demo.address}/gates/yj-yj-01?past=${moment}`)
  const bar = page.locator('[data-test="past-bar"]')
  await bar.waitFor()
  await until(async () => expect(await page.locator('[data-metric="level_up"] td.value').innerText()).toContain(Number(level).toFixed(3)))
  expect(await page.locator('main').innerText()).toContain('回放中不能操作闸门')
  await page.locator('[data-test="stop"]').click()
  await until(async () => expect(await page.locator('[data-test="stop-told"]').innerText()).toContain('停止命令已发出'))
  expect(await page.locator('[data-test="link-state"]').count()).toBe(0)
  await screenshot(page, 'past-gate')
  for (const path of ['/', '/schematic', '/alarms']) {
    await page.locator(`nav a[href^="${path}?"], nav a[href="${path}"]`).last().click()
    await until(async () => expect(new URL(page.url()).searchParams.get('past')).toBe(String(moment)))
    expect(await bar.innerText()).toContain('回放 · 不是现在')
  }
  const shown = () => page.locator('[data-test="past-moment"]').getAttribute('datetime')
  const before = await shown()
  // So near to the present a faster play has arrived before it has made a step.
  await page.locator('[data-test="past-speed"]').selectOption('1')
  await page.locator('[data-test="past-play"]').click()
  await until(async () => expect(await shown()).not.toBe(before))
  await page.locator('[data-test="past-play"]').click()
  await until(async () => expect(new URL(page.url()).searchParams.get('past')).not.toBe(String(moment)))
  const kept = await shown()

  await page.locator('[data-test="past-record"]').click()
  const form = page.locator('[data-test="past-record-form"]')
  await form.locator('input').first().fill('夜间水位')
  await form.locator('textarea').fill('二闸晚开')
  await page.locator('[data-test="past-save-record"]').click()
  await form.waitFor({ state: 'detached' })
  await page.goto(`${demo.address}/consultations`)
  await page.locator('[data-consultation] a').first().click()
  await bar.waitFor()
  await until(async () => expect(await shown()).toBe(kept))

  await page.locator('[data-test="past-leave"]').click()
  await until(async () => expect(await bar.count()).toBe(0))
  await page.goto(demo.address)
  await until(async () => expect(await page.locator('[data-test="condition-normal"]').innerText()).toContain('94'))
  expect(troubles).toEqual([])
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
