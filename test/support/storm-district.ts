/** A healthy district of a hundred sites on real servers, whose broker can be taken away and whose levels can be let over their limits. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { expect } from 'vitest'
import { stringify } from 'yaml'
import { ensurePerson } from '#api/auth/ensure-person.ts'
import { ALARM_KINDS, ruleId, rulesOf } from '#contract/alarm.ts'
import type { District } from '#contract/district.ts'
import { openRegistry } from '#registry/open.ts'
import { fleetValue } from '#simulators/fleet/site.ts'
import { FLEET_DEFAULTS, fleetDistrict, openFleet } from '#simulators/fleet.ts'
import { openClient } from './client.ts'
import { root, startProgram } from './program.ts'
import { freePort, type RealServer, startInflux1, startMosquitto, startPostgres, tempFolder, until } from './servers.ts'

const SITES = 100
const GATES_OF_A_SITE = 10
const EVERY_MS = 10_000
/** The sites go over in turns, each a reading after the one before; the guarantee level follows the warning level with the next reading. */
const TURNS = 5
const ON_DELAY_MS = ALARM_KINDS.level_warning.delayOnMs
/** The limits stand 2.2 m and 2.4 m above the datum. */
const OVER_WARNING_M = 2.3
const OVER_GUARANTEE_M = 2.5
const KINDS = ['level_warning', 'level_guarantee'] as const
const log = pino({ level: 'silent' })

export const CROSSINGS = SITES * GATES_OF_A_SITE * KINDS.length

export type Raised = { readonly alarm: string; readonly at: number }
export type Storm = {
  /** Between these times, ms, each of the alarms is due to be raised. */
  readonly begins: number
  readonly ends: number
  readonly alarms: readonly string[]
}
export type StormDistrict = {
  readonly address: string
  readonly who: { login: string; password: string }
  readonly broker: RealServer
  readonly areas: readonly string[]
  /** Resolves when every gate has a fresh value at the API. */
  healthy(): Promise<void>
  /** What the registry's journal says was raised since the start, however often. */
  raised(): Promise<Raised[]>
  acknowledged(): Promise<number>
  /** Lets every gate over both limits, within a minute from now. */
  storm(): Storm
  stop(): Promise<void>
}

/** With the names that a dispatcher would read. */
function districtNamed(): District {
  const plain = fleetDistrict(SITES, { structuresPerSite: GATES_OF_A_SITE })
  const name = (zh: string, en: string) => ({ zh, en })
  const siteNumber = new Map(plain.sites.map((s, i) => [s.id, i]))
  return {
    ...plain,
    areas: plain.areas.map((a, i) => ({ ...a, name: name(`第${i + 1}灌域`, `Area ${i + 1}`) })),
    canals: plain.canals.map((c, i) => ({ ...c, name: name(`${i + 1}号干渠`, `Main canal ${i + 1}`) })),
    sites: plain.sites.map((s, i) => ({ ...s, name: name(`${i + 1}号站`, `Site ${i + 1}`) })),
    structures: plain.structures.map((s, n) => {
      const [site, gate] = [(siteNumber.get(s.site) ?? 0) + 1, (n % GATES_OF_A_SITE) + 1]
      return { ...s, name: name(`${site}号站${gate}号闸`, `Site ${site} gate ${gate}`) }
    }),
  }
}

export async function startStormDistrict(): Promise<StormDistrict> {
  const folder = tempFolder('storm')
  const stops: (() => Promise<unknown> | unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).toReversed()) await end()
  }
  try {
    const [broker, postgres, influx] = [await startMosquitto(), await startPostgres(), await startInflux1()]
    stops.push(
      () => broker.stop(),
      () => postgres.stop(),
      () => influx.stop(),
    )
    const district = districtNamed()
    const registry = await openRegistry(postgres.url, { log, migrationsFolder: join(root, 'registry', 'migrations') })
    stops.push(() => registry.close())
    await registry.district.seed(district)
    const who = { login: 'bench', password: 'a long enough password' }
    await ensurePerson(registry, { ...who, name: '王调度', grants: [{ role: 'dispatcher', area: null }] })
    // A level that jumps changes fast as well: here only its limits are of interest.
    for (const { id, kind, area, site, gate, estimate, ...setting } of rulesOf(district))
      if (kind === 'level_rate') await registry.alarms.setRule(id, { ...setting, enabled: false }, { who: 'bench', at: Date.now(), area })
    const http = await freePort()
    const config = join(folder, 'sluice.yaml')
    writeFileSync(
      config,
      stringify({
        mqtt: { url: broker.url },
        history: { url: influx.url },
        registry: { url: postgres.url },
        api: { http: { port: http } },
      }),
    )
    const ingest = await startProgram('ingest', ['ingest', '--config', config], { ready: 'ingest runs' })
    stops.push(() => ingest.stop())
    const api = await startProgram('api', ['api', '--config', config], { ready: 'api runs' })
    stops.push(() => api.stop())
    const address = `http://127.0.0.1:${http}`
    const { get } = await openClient(address, who)

    let over: ((structure: string, t: number) => number | undefined) | undefined
    const fleet = await openFleet(
      {
        ...FLEET_DEFAULTS,
        ...{ brokerUrl: broker.url, district, everyMs: EVERY_MS, metrics: ['level_up', 'flow', 'rssi', 'mode'] },
        readingAt: (metric, structure, t) =>
          (metric === 'level_up' ? over?.(structure, t) : undefined) ?? fleetValue(metric, FLEET_DEFAULTS.seed, structure, t),
      },
      { log, now: Date.now },
    )
    stops.push(() => fleet.close())
    const journal = async () => (await registry.alarms.journal({}, { limit: 100_000, offset: 0 })).items
    const siteOf = new Map(district.structures.map((s) => [s.id, district.sites.findIndex(({ id }) => id === s.site)]))

    return {
      address,
      who,
      broker,
      areas: district.areas.map((a) => a.id),
      healthy: async () => {
        const from = Date.now()
        await until(async () => {
          const { items } = await get<{ items: { state: { metrics: Record<string, { t: number }> } | null }[] }>('/api/v1/gates?limit=1000')
          expect(items.filter((g) => (g.state?.metrics['level_up']?.t ?? 0) > from)).toHaveLength(SITES * GATES_OF_A_SITE)
          await sleep(500)
        }, 90_000)
      },
      raised: async () => (await journal()).filter((e) => e.event === 'raised').map(({ alarm, at }) => ({ alarm, at })),
      acknowledged: async () => (await journal()).filter((e) => e.event === 'acknowledged').length,
      storm: () => {
        const begins = Date.now() + EVERY_MS
        over = (structure, t) => {
          const since = t - begins - ((siteOf.get(structure) ?? 0) % TURNS) * EVERY_MS
          return since < 0 ? undefined : since < EVERY_MS ? OVER_WARNING_M : OVER_GUARANTEE_M
        }
        // The first reading over a limit comes up to an interval after it was crossed.
        const ends = begins + (TURNS - 1) * EVERY_MS + 2 * EVERY_MS + ON_DELAY_MS
        return { begins, ends, alarms: district.structures.flatMap(({ id }) => KINDS.map((kind) => ruleId(kind, id))) }
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
