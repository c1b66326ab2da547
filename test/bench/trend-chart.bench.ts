/**
 * A year of one gate by the minute on the trends page: from the click until its lines are seen, thin and without the bands from least to largest, and
 * until the whole picture is. Then the window is moved by hand over what comes to 100,000
 * points in view, once as the samples of one line and once as 24 lines, each bucket with its least, largest and mean value; beside them, in the same run
 * and by the same hand, a bare uPlot page with 100,000 points in view.
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { ensurePerson } from '#api/auth/ensure-person.ts'
import { LOG, NO_BROKER, startApp } from '#api/testing/start-api.ts'
import { good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { openHistory } from '#history/open.ts'
import type { History, Sample } from '#history/port.ts'
import { openRegistry } from '#registry/open.ts'
import { openBrowser, screenshot, signIn, visit } from '../support/browser.ts'
import { districtOf } from '../support/busy-district.ts'
import { root } from '../support/program.ts'
import { quantile } from '../support/quantile.ts'
import { copyRegistry } from '../support/registry-template.ts'
import { tempFolder, until } from '../support/servers.ts'

const MINUTE = 60_000
const DAY = 86_400_000
const DAYS = Number(process.env['SLUICE_BENCH_DAYS'] ?? 365)
/** What the other gates have: the window of 70 days and a half of it on each side. */
const OTHERS_DAYS = 150
const POINTS = 100_000
const METRICS = ['level_up', 'level_down', 'flow'] as const
const GATES = 8
const OPENINGS = 10
const PAN_S = 5
const MOVEMENTS_AHEAD = 6
const AT_ONCE_MINUTES = 10_000
/** Of the bare page's frames, that the charts must reach. */
const LEAST_SHARE = 0.5

// As text: the tests are typed for Node, which has no window.
const WATCH = `
  globalThis.drawn = []
  globalThis.opened = []
  globalThis.whole = []
  const clear = CanvasRenderingContext2D.prototype.clearRect
  let frame = -1
  CanvasRenderingContext2D.prototype.clearRect = function (...args) {
    const now = document.timeline.currentTime
    if (now !== frame) globalThis.drawn.push((frame = now))
    return clear.apply(this, args)
  }
  addEventListener('click', (event) => {
    if (!event.target.closest('[data-test^="range"]')) return
    const watch = (seen, isThere) => {
      let began = false
      const look = () => {
        const panes = document.querySelector('[data-test="panes"]')
        began ||= panes.getAttribute('aria-busy') === 'true'
        if (began && panes.getAttribute('aria-busy') === 'false' && isThere(panes))
          // What the frame of now paints has been shown when the next one begins.
          requestAnimationFrame(() => seen.push(performance.now() - event.timeStamp))
        else requestAnimationFrame(look)
      }
      requestAnimationFrame(look)
    }
    watch(globalThis.opened, () => true)
    watch(globalThis.whole, (panes) => panes.dataset.whole === 'true')
  }, true)
`
const told = <T>(page: Page, what: string): Promise<T> => page.evaluate(what) as Promise<T>

/** A swing of a day and one of nine, with noise, as a sensor's value has. */
const valueAt = (gate: number, metric: string, t: number): number => {
  const minute = t / MINUTE
  const noise = ((minute * 7919 + gate * 104_729) % 41) / 2000
  const swing = 0.3 * Math.sin(minute / 229 + gate) + 0.2 * Math.sin(minute / 2063)
  return Math.round(({ level_up: 1.6, level_down: 1.1 }[metric] ?? 6) * 1000 + (swing + noise) * (metric === 'flow' ? 4000 : 1000)) / 1000
}

async function fill(history: History, gates: readonly string[], end: number): Promise<number> {
  let written = 0
  for (const [n, gate] of gates.entries()) {
    const from = end - (n === 0 ? DAYS : OTHERS_DAYS) * DAY
    for (let t = from; t < end; t += AT_ONCE_MINUTES * MINUTE) {
      const batch: Sample[] = []
      for (let at = t; at < Math.min(end, t + AT_ONCE_MINUTES * MINUTE); at += MINUTE)
        for (const metric of METRICS)
          batch.push({ gate, metric, t: unixMs(at), received: unixMs(at + 1000), reading: good(valueAt(n, metric, at)) })
      expect((await history.write(batch, { rewrite: false })).kind).toBe('kept')
      written += batch.length
    }
  }
  await history.rollUp(end)
  return written
}

type Panned = { readonly perSecond: number; readonly movesPerSecond: number; readonly p50: number; readonly p99: number }
/** Takes hold of the picture and moves it to and fro. @returns frames in which it was drawn anew. */
async function pan(page: Page, plot: string): Promise<Panned> {
  const box = await page.locator(plot).first().boundingBox()
  if (!box) throw new Error(`${plot} is not drawn`)
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
  await page.keyboard.down('Shift')
  await page.mouse.move(x, y)
  await page.mouse.down()
  await page.evaluate('globalThis.drawn.length = 0')
  const begun = performance.now()
  let step = 0
  // Some on their way at once: the browser answers a movement when it has drawn it, and a hand does not wait for that.
  const onTheirWay = new Set<Promise<void>>()
  for (; performance.now() - begun < PAN_S * 1000; step++) {
    // No farther than what has been read on either side.
    const moved = page.mouse.move(x + box.width * 0.3 * Math.sin(step / 60), y).finally(() => onTheirWay.delete(moved))
    onTheirWay.add(moved)
    await (onTheirWay.size < MOVEMENTS_AHEAD ? sleep(4) : Promise.race(onTheirWay))
  }
  await Promise.all(onTheirWay)
  const drawn = await told<number[]>(page, 'globalThis.drawn')
  await page.mouse.up()
  await page.keyboard.up('Shift')
  const between = drawn.slice(1).map((t, i) => t - (drawn[i] ?? t))
  const span = (drawn.at(-1) ?? 0) - (drawn[0] ?? 0)
  return {
    perSecond: (between.length * 1000) / span,
    movesPerSecond: step / PAN_S,
    p50: quantile(between, 0.5),
    p99: quantile(between, 0.99),
  }
}
const pannedText = ({ perSecond, movesPerSecond, p50, p99 }: Panned): string =>
  `${perSecond.toFixed(0)} frames/s of ${movesPerSecond.toFixed(0)} movements, between frames p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`

/** The library alone: one line of 100,000 points in view and as many beside it, moved by the same hand. */
async function barePage(browser: Browser): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1600, height: 1000 } })).newPage()
  await page.addInitScript(WATCH)
  await page.goto('about:blank')
  const dist = join(root, 'node_modules/uplot/dist')
  await page.addStyleTag({ content: readFileSync(join(dist, 'uPlot.min.css'), 'utf8') })
  await page.addScriptTag({ content: readFileSync(join(dist, 'uPlot.iife.min.js'), 'utf8') })
  await page.evaluate(`{
    const x = Array.from({ length: ${2 * POINTS} }, (_, i) => i * 60)
    const y = x.map((t, i) => 1.6 + 0.3 * Math.sin(i / 229) + 0.2 * Math.sin(i / 2063) + ((i * 7919) % 41) / 2000)
    let from = ${POINTS / 2} * 60
    const width = ${POINTS} * 60
    const u = new uPlot({ width: 1570, height: 820, legend: { show: false }, cursor: { drag: { x: false, y: false } },
      scales: { x: { time: true, range: () => [from, from + width] } }, series: [{}, { stroke: '#246', width: 1.6 }] }, [x, y], document.body)
    let held, moved = 0, frame
    u.over.addEventListener('pointerdown', (e) => { held = e.clientX })
    addEventListener('pointermove', (e) => {
      if (held === undefined) return
      moved += e.clientX - held
      held = e.clientX
      frame ??= requestAnimationFrame(() => {
        frame = undefined
        from -= (moved * width) / (u.bbox.width / devicePixelRatio)
        moved = 0
        u.setScale('x', { min: from, max: from + width })
      })
    })
  }`)
  return page
}

test('a year on the trends page, and moving over 100,000 points', async () => {
  const folder = tempFolder('trend')
  const district = districtOf(GATES)
  const gates = district.structures.map((s) => s.id)
  const registry = await openRegistry(await copyRegistry(join(folder, 'registry')), { log: LOG, migrationsFolder: 'registry/migrations' })
  const history = await openHistory(`duckdb:${join(folder, 'history.duckdb')}`, { log: LOG })
  await registry.district.seed(district)
  const who = { login: 'bench', password: 'a long enough password' }
  await ensurePerson(registry, { ...who, name: 'Bench', grants: [{ role: 'dispatcher', area: null }] })
  const { app } = await startApp({ registry, history, mqttUrl: NO_BROKER, dashboardFolder: join(root, 'dist', 'dashboard') })
  const browser = await openBrowser()
  try {
    const end = Math.floor(Date.now() / MINUTE) * MINUTE
    const begun = performance.now()
    const written = await fill(history, gates, end)
    const filledS = (performance.now() - begun) / 1000
    const address = await app.listen({ host: '127.0.0.1', port: 0 })
    const { page, troubles } = await visit(browser, address)
    await signIn(page, who)
    await page.locator('[data-gate]').first().waitFor()
    await page.addInitScript(WATCH)
    const panes = page.locator('[data-test="panes"]')
    const ready = (): Promise<void> => until(async () => expect(await panes.getAttribute('aria-busy')).toBe('false'))
    const open = async (query: string): Promise<void> => {
      await page.goto(`${address}/trends?${query}`)
      await panes.waitFor()
      await ready()
      await sleep(1500)
    }

    await open(`s=${gates[0]}:${METRICS}&last=${DAY}`)
    for (let i = 1; i <= OPENINGS; i++) {
      for (const range of ['range1y', 'range24h']) {
        await page.locator(`[data-test="${range}"]`).click()
        await until(async () => expect(await told<number>(page, 'globalThis.whole.length')).toBe(2 * i - (range === 'range1y' ? 1 : 0)))
        if (range === 'range1y' && i === OPENINGS) await screenshot(page, 'trend-year')
        await sleep(300)
      }
    }
    const ofYears = async (what: string): Promise<number[]> => (await told<number[]>(page, what)).filter((_, i) => i % 2 === 0)
    const [opened, whole] = [await ofYears('globalThis.opened'), await ofYears('globalThis.whole')]
    // What was asked of the year, told from what was asked of the day by its length.
    const replies = await told<number[]>(
      page,
      `performance.getEntriesByType('resource').filter((e) => {
        const asked = new URL(e.name).searchParams
        return e.name.includes('/history?') && asked.get('to') - asked.get('from') > ${DAYS * DAY}
      }).map((e) => e.responseEnd - e.startTime)`,
    )

    const [from, to] = [end - (POINTS * MINUTE + 40 * DAY), end - 40 * DAY]
    await open(`s=${gates[0]}:level_up&from=${from}&to=${to}`)
    const one = await pan(page, '.u-over')
    await screenshot(page, 'trend-100000-samples')
    await open(`s=${gates.map((g) => `${g}:${METRICS}`).join(';')}&from=${from}&to=${to}`)
    const inView = await told<number>(
      page,
      `24 * 3 * Math.floor((${to} - ${from}) / Number(document.querySelector('[data-test="panes"]').dataset.bucketMs))`,
    )
    const many = await pan(page, '.u-over')
    await screenshot(page, 'trend-24-lines')
    const bare = await pan(await barePage(browser), '.u-over')

    process.stdout.write(`
Trends page over DuckDB, ${written.toLocaleString('en')} samples by the minute (written and rolled up in ${filledS.toFixed(0)} s), 1600×1000, no graphics card
  a year of one gate, 3 metrics, from the click until its lines are seen   p50 ${quantile(opened, 0.5).toFixed(0)} ms, longest ${Math.max(...opened).toFixed(0)} ms of ${opened.length} (aim: 500 ms); of it the reply p50 ${quantile(replies, 0.5).toFixed(0)} ms
    until the whole picture is, with bands and wide lines                  p50 ${quantile(whole, 0.5).toFixed(0)} ms, longest ${Math.max(...whole).toFixed(0)} ms
  moving the window (aim: 60 frames/s)
    bare uPlot, one line, ${POINTS.toLocaleString('en')} points in view       ${pannedText(bare)}
    one line, ${POINTS.toLocaleString('en')} samples in view by the pixel      ${pannedText(one)}: ${(one.perSecond / bare.perSecond).toFixed(2)} of the bare page
    24 lines, ${inView.toLocaleString('en')} values drawn in view           ${pannedText(many)}: ${(many.perSecond / bare.perSecond).toFixed(2)} of the bare page
`)
    expect(opened).toHaveLength(OPENINGS)
    expect(whole).toHaveLength(OPENINGS)
    expect(replies.length).toBeGreaterThanOrEqual(OPENINGS)
    expect(inView).toBeGreaterThan(POINTS / 2)
    for (const { perSecond } of [one, many]) expect(perSecond / bare.perSecond).toBeGreaterThan(LEAST_SHARE)
    expect(troubles).toEqual([])
  } finally {
    await browser.close()
    await app.close()
    await history.close()
    await registry.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
