/** A district of any size whose gates all change once a second: a real Mosquitto, the embedded stores, the API and the built dashboard. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { expect } from 'vitest'
import { ensurePerson } from '#api/auth/ensure-person.ts'
import { structure } from '#api/testing/district.ts'
import { LOG, startApp } from '#api/testing/start-api.ts'
import type { Canal, District, Site, Structure } from '#contract/district.ts'
import type { LiveValue } from '#contract/live.ts'
import { liveTopic } from '#contract/topics.ts'
import { openHistory } from '#history/open.ts'
import { openRegistry } from '#registry/open.ts'
import { root } from './program.ts'
import { copyRegistry } from './registry-template.ts'
import { startMosquitto, tempFolder, until } from './servers.ts'

const AREAS = 5
const GATES_OF_A_CANAL = 20
const GATES_OF_A_SITE = 4

export type BusyDistrict = {
  readonly address: string
  readonly who: { login: string; password: string }
  stop(): Promise<void>
}

/** Canals of 20 gates each, which leave one main canal per area. */
export function districtOf(gates: number): District {
  const name = (zh: string, en: string) => ({ zh, en })
  const areas = Array.from({ length: AREAS }, (_, i) => ({ id: `area-${i}`, name: name(`灌域${i}`, `Area ${i}`), order: i }))
  const canals: Canal[] = areas.map(({ id }, i) => ({
    ...{ id: `main-${i}`, name: name(`${i}号干渠`, `Main canal ${i}`), area: id, parent: null, parent_chainage_km: null },
    ...{ length_km: 200, design_flow_m3s: 60 },
  }))
  const sites: Site[] = []
  const structures: Structure[] = []
  for (let n = 0; n < gates; n++) {
    const [canalNumber, siteNumber] = [Math.floor(n / GATES_OF_A_CANAL), Math.floor(n / GATES_OF_A_SITE)]
    const area = `area-${canalNumber % AREAS}`
    const [canal, site] = [`canal-${canalNumber}`, `site-${siteNumber}`]
    if (n % GATES_OF_A_CANAL === 0) {
      canals.push({
        ...{ id: canal, name: name(`${canalNumber}号支渠`, `Branch ${canalNumber}`), area, parent: `main-${canalNumber % AREAS}` },
        ...{ parent_chainage_km: (canalNumber * 7) % 200, length_km: 40, design_flow_m3s: 12 },
      })
    }
    if (n % GATES_OF_A_SITE === 0) {
      sites.push({ id: site, name: name(`${siteNumber}站`, `Site ${siteNumber}`), area, station: '供水所', report_interval_ms: 1000 })
    }
    structures.push({
      ...structure(`gate-${n}`, { area, canal, site }),
      ...{ name: name(`${n}号闸`, `Gate ${n}`), chainage_km: (n % GATES_OF_A_CANAL) * 2, type: n % 3 === 0 ? 'regulator' : 'offtake' },
    })
  }
  return { name: 'busy', areas, canals, sites, structures }
}

/** Eight metrics, each another than a second before. */
export function metricsAt(gate: number, t: number): Record<string, LiveValue> {
  const wave = Math.sin(t / 60_000 + gate)
  const step = Math.floor(t / 1000) % 2
  const value = (v: number): LiveValue => ({ t, rx: t, v: Number(v.toFixed(3)), q: 0 })
  return {
    level_up: value(1.6 + 0.2 * wave + 0.001 * step),
    level_down: value(1.1 + 0.1 * wave + 0.001 * step),
    opening: value(0.6 + 0.1 * wave + 0.001 * step),
    opening_2: value(0.5 + 0.1 * wave + 0.001 * step),
    flow: value(4 + wave + 0.001 * step),
    velocity: value(0.8 + 0.1 * wave + 0.001 * step),
    battery: value(12.6 + 0.01 * step),
    rssi: value(-71 - step),
  }
}

/** @param gates how many, each publishing once a second, spread over the second */
export async function startBusyDistrict(gates: number): Promise<BusyDistrict> {
  const folder = tempFolder('busy')
  const stops: (() => Promise<unknown> | unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).toReversed()) await end()
  }
  try {
    const broker = await startMosquitto()
    stops.push(() => broker.stop())
    const registry = await openRegistry(await copyRegistry(join(folder, 'registry')), { log: LOG, migrationsFolder: 'registry/migrations' })
    stops.push(() => registry.close())
    const history = await openHistory(`duckdb:${join(folder, 'history.duckdb')}`, { log: LOG })
    stops.push(() => history.close())
    const district = districtOf(gates)
    await registry.district.seed(district)
    const who = { login: 'bench', password: 'a long enough password' }
    await ensurePerson(registry, { ...who, name: 'Bench', grants: [{ role: 'dispatcher', area: null }] })
    const { app } = await startApp({ registry, history, mqttUrl: broker.url, dashboardFolder: join(root, 'dist', 'dashboard') })
    stops.push(() => app.close())
    const address = await app.listen({ host: '127.0.0.1', port: 0 })

    const publisher = await connectAsync(broker.url)
    stops.push(() => publisher.endAsync(true))
    const SLICES = 20
    let slice = 0
    const timer = setInterval(() => {
      const t = Date.now()
      for (let n = slice; n < gates; n += SLICES) {
        const of = district.structures[n]
        if (!of) continue
        const state = { gate: of.id, area: of.area, site: of.site, online: true, metrics: metricsAt(n, t) }
        publisher.publish(liveTopic(of.area, of.id), JSON.stringify(state), { qos: 0 })
      }
      slice = (slice + 1) % SLICES
    }, 1000 / SLICES)
    stops.push(() => clearInterval(timer))
    await until(async () => {
      const { body } = await app.inject('/metrics')
      expect(Number(/^sluice_live_gates (\d+)$/m.exec(body)?.[1])).toBe(gates)
    }, 60_000)
    return { address, who, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
