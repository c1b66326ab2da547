/**
 * Register change → browser, on real Mosquitto, InfluxDB and PostgreSQL, one agent polling at 1 s. A register changes at random moments;
 * the page's own clock says when the new number stood in the table.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import modbus from 'modbus-serial'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { openBrowser, signIn, visit } from '../support/browser.ts'
import { startPlant } from '../support/plant.ts'
import { startProgram } from '../support/program.ts'
import { quantile } from '../support/quantile.ts'
import { seeded } from '../support/random.ts'
import { until } from '../support/servers.ts'

const CHANGES = Number(process.env['SLUICE_BENCH_CHANGES'] ?? 120)
const who = { login: 'bench', password: 'a long enough password' }

type SiteConfig = { buses: { port: number; devices: { structure: string }[] }[] }

/** A gate whose upstream level is set by hand and that notes when each level was first read. */
function startGate(port: number): { set: (level: number) => void; servedAt: Map<number, number>; close: () => void } {
  let level = 1
  const bytes = new DataView(new ArrayBuffer(4))
  const servedAt = new Map<number, number>()
  const registers = (address: number): number => {
    if (address > 1) return 0
    bytes.setFloat32(0, level)
    if (address === 1 && !servedAt.has(level)) servedAt.set(level, Date.now())
    return bytes.getUint16(address * 2)
  }
  const server = new modbus.ServerTCP({ getHoldingRegister: registers }, { host: '127.0.0.1', port, unitID: 255 }) // 255 answers for every unit
  return {
    set: (to) => {
      level = to
    },
    servedAt,
    close: () => server.close(() => undefined),
  }
}

test('live delay', async () => {
  const plant = await startPlant({ sites: 1, intervalMs: 1000 })
  const stops: (() => Promise<unknown> | unknown)[] = [() => plant.stop()]
  try {
    const site = plant.agents[0]?.site ?? ''
    const config = parse(readFileSync(join(plant.folder, 'sites', `${site}.yaml`), 'utf8')) as SiteConfig
    const [bus] = config.buses
    const gate = bus?.devices[0]?.structure ?? ''
    await plant.simulators.kill()
    const device = startGate(bus?.port ?? 0)
    stops.push(() => device.close())
    const api = await startProgram('api', ['api', '--config', plant.config], { ready: 'api runs' })
    stops.push(() => api.kill())
    const added = spawnSync(
      process.execPath,
      ['dist/sluice.js', 'person', 'add', who.login, '--config', plant.config, '--name', 'Bench', '--role', 'viewer'],
      {
        input: who.password,
        encoding: 'utf8',
      },
    )
    if (added.status !== 0) throw new Error(added.stderr)
    const browser = await openBrowser()
    stops.push(() => browser.close())
    const { page } = await visit(browser, /"address":"([^"]+)"/.exec(api.log())?.[1] ?? '')
    await signIn(page, who)
    await page.locator('[data-test="filter"]').fill(gate)
    await until(async () => expect(await page.locator(`[data-gate="${gate}"] .up`).innerText()).toContain('1.000'))
    // As text: the tests are typed for Node, which has no document.
    await page.evaluate(`{
      const cell = document.querySelector('[data-gate="${gate}"] .up')
      globalThis.seen = {}
      new MutationObserver(() => {
        const text = cell.textContent.trim().split(/[^0-9.]/)[0]
        globalThis.seen[text] ??= performance.timeOrigin + performance.now()
      }).observe(cell, { subtree: true, childList: true, characterData: true })
    }`)

    const random = seeded(7)
    const changedAt = new Map<number, number>()
    for (let n = 1; n <= CHANGES; n++) {
      await sleep(1100 + random() * 1000)
      const level = Number((1 + n / 100).toFixed(2))
      device.set(level)
      changedAt.set(level, Date.now())
    }
    await sleep(3000)
    const seen = (await page.evaluate('globalThis.seen')) as Record<string, number>
    const whole: number[] = []
    const afterPoll: number[] = []
    for (const [level, at] of changedAt) {
      const shown = seen[level.toFixed(3)]
      const served = device.servedAt.get(level)
      if (shown === undefined || served === undefined) continue
      whole.push(shown - at)
      afterPoll.push(shown - served)
    }
    process.stdout.write(`
Live delay, ${whole.length} of ${CHANGES} changes seen, poll 1 s
  register change → screen   median ${quantile(whole, 0.5).toFixed(0)} ms, p99 ${quantile(whole, 0.99).toFixed(0)} ms
  poll's reply → screen      median ${quantile(afterPoll, 0.5).toFixed(0)} ms, p99 ${quantile(afterPoll, 0.99).toFixed(0)} ms (aim at the median: 150 ms)
`)
    expect(whole.length).toBe(CHANGES)
  } finally {
    for (const stop of stops.toReversed()) await stop()
  }
})
