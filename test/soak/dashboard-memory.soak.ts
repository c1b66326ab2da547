/**
 * Overview and schematic beside each other in Chromium for SLUICE_SOAK_MINUTES (60) while every gate changes each second: the memory that lives
 * after a collection, page by page. No growth is asked for.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openBrowser, signIn, visit } from '../support/browser.ts'
import { startBusyDistrict } from '../support/busy-district.ts'
import { heapMb } from '../support/page-work.ts'

const GATES = Number(process.env['SLUICE_SOAK_GATES'] ?? 1000)
const MINUTES = Number(process.env['SLUICE_SOAK_MINUTES'] ?? 60)
const EVERY_MINUTES = 5
/** An hour may add so much to what lives after the first minutes, and no more. */
const GROWTH = 1.1
/** A collection amid a message finds what it holds, once in a while a MB or two: the least of so many counts. */
const LEAST_OF = 3
const PAGES = {
  overview: { path: '/', ready: '[data-gate]' },
  schematic: { path: '/schematic', ready: '[data-test="schematic"]' },
} as const

test('the memory of the dispatcher’s pages does not grow in an hour', async () => {
  const busy = await startBusyDistrict(GATES)
  const browser = await openBrowser()
  try {
    const watched = []
    for (const [name, { path, ready }] of Object.entries(PAGES)) {
      const { page, troubles } = await visit(browser, busy.address, { width: 1920, height: 1080 })
      await signIn(page, busy.who)
      await page.locator(PAGES.overview.ready).first().waitFor()
      await page.goto(`${busy.address}${path}`)
      await page.locator(ready).first().waitFor()
      const cdp = await page.context().newCDPSession(page)
      await cdp.send('Performance.enable')
      watched.push({ name, cdp, troubles, heaps: [] as number[] })
    }
    for (let minute = 0; minute <= MINUTES; minute += EVERY_MINUTES) {
      await sleep((minute === 0 ? 1 : EVERY_MINUTES) * 60_000)
      for (const { name, cdp, heaps } of watched) {
        heaps.push(await heapMb(cdp))
        process.stdout.write(`after ${minute + 1} min: ${name} ${heaps.at(-1)?.toFixed(2)} MB\n`)
      }
    }
    process.stdout.write(`
Memory of the pages, ${GATES} gates with 8 metrics changing each second, MB after a collection, each ${EVERY_MINUTES} min
${watched.map(({ name, heaps }) => `  ${name.padEnd(10)} ${heaps.map((h) => h.toFixed(1)).join(' ')}`).join('\n')}
`)
    for (const { name, heaps, troubles } of watched) {
      expect(Math.min(...heaps.slice(-LEAST_OF)), name).toBeLessThan(GROWTH * Math.min(...heaps.slice(0, LEAST_OF)))
      expect(troubles, name).toEqual([])
    }
  } finally {
    await browser.close()
    await busy.stop()
  }
})
