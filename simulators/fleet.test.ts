import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import type { District, Structure } from '#contract/district.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { SmallHost } from '#edge-agent/uplink/small-host.ts'
import { type RealServer, startMosquitto, tempFolder, until } from '#test/support/servers.ts'
import { program } from '../bin/commands.ts'
import { runFleet } from '../bin/simulate-fleet.ts'
import { FLEET_DEFAULTS, type Fleet, type FleetOptions, type FleetStats, fleetDistrict, openFleet } from './fleet.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function start(sites: number, options: Partial<FleetOptions>): Promise<{ mosquitto: RealServer; fleet: Fleet; district: District }> {
  const mosquitto = await startMosquitto()
  closers.push(() => mosquitto.stop())
  const district = fleetDistrict(sites, { structuresPerSite: 2 })
  const hosts = await Promise.all(
    district.sites.slice(0, 1).map((s) => SmallHost.open(mosquitto.url, { node: { group: s.area, node: s.id }, receipts: true })),
  )
  closers.push(() => Promise.all(hosts.map((h) => h.close())))
  const fleet = await openFleet(
    { ...FLEET_DEFAULTS, brokerUrl: mosquitto.url, district, everyMs: 0, ...options },
    { log: pino({ level: 'silent' }), now: Date.now },
  )
  closers.push(() => fleet.close())
  return { mosquitto, fleet, district }
}

test('a virtual site sends its backlog window by window and is done when each batch has its receipt', async () => {
  const { fleet } = await start(1, { backlog: 100, samplesPerBatch: 10, retryMs: 2000 })
  expect(await fleet.delivered({ timeoutMs: 20_000 })).toBe(true)
  expect(fleet.stats()).toMatchObject({ sites: 1, connected: 1, made: 20, receipted: 20, waiting: 0, readings: 2 * 100 * 8 })
})

test('without receipts no site has more on its way than its window, and it repeats', async () => {
  const { fleet } = await start(50, { backlog: 100, samplesPerBatch: 10, retryMs: 300, window: 3 })
  // The first site alone has a host.
  await until(async () => expect(fleet.stats()).toMatchObject({ sites: 50, connected: 50, receipted: 20, sent: 20 + 49 * 3 }))
  await until(async () => expect(fleet.stats().repeated).toBeGreaterThan(300))
  expect(fleet.stats().sent).toBe(20 + 49 * 3)
})

test('sites that share a connection are heard as each its own, and go on after the broker was away', async () => {
  const { mosquitto, fleet, district } = await start(20, { everyMs: 200, sitesPerConnection: 10 })
  const [, second] = district.sites
  const host = await SmallHost.open(mosquitto.url, { node: { group: second?.area ?? '', node: second?.id ?? '' }, receipts: true })
  closers.push(() => host.close())
  host.askRebirth()
  await until(async () => expect(host.batches().size).toBeGreaterThan(4))
  expect(fleet.stats()).toMatchObject({ sites: 20, connected: 2 })
  await mosquitto.kill()
  await mosquitto.start()
  await until(async () => expect(fleet.stats().connected).toBe(2))
  const { made } = fleet.stats()
  await until(async () => expect(fleet.stats().made).toBeGreaterThan(made))
})

test('the fleet’s district is one that a registry takes: every id once, every reference to something', () => {
  const { sites, structures, areas } = fleetDistrict(1000, { structuresPerSite: 3 })
  expect([sites.length, structures.length]).toEqual([1000, 3000])
  const areaOf = new Map(sites.map((s) => [s.id, s.area]))
  expect(structures.every((s: Structure) => areaOf.get(s.site) === s.area)).toBe(true)
  expect(areas.length).toBeGreaterThan(1)
})

/** What `sluice simulate fleet` makes of its options. */
function given(...args: string[]): Parameters<typeof runFleet>[0] {
  const fleet = program.commands.find((c) => c.name() === 'simulate')?.commands.find((c) => c.name() === 'fleet')
  if (!fleet) throw new Error('there is no such command')
  fleet.parseOptions(args)
  return fleet.opts<Parameters<typeof runFleet>[0]>()
}

test('simulate fleet writes its sites as a district, reports at the rate asked for, and ends with each batch receipted', async () => {
  const [log, signal, folder] = [pino({ level: 'silent' }), new AbortController().signal, tempFolder('fleet')]
  closers.push(() => rmSync(folder, { recursive: true, force: true }))
  const mosquitto = await startMosquitto()
  closers.push(() => mosquitto.stop())
  const options = given('--sites', '3', '--structures', '2', '--metrics', 'level_up,flow', '--rate', '120', '--broker', mosquitto.url)
  expect(await runFleet({ ...options, writeDistrict: join(folder, 'fleet') }, log, signal)).toContain('3 sites, 6 structures')
  const district = await loadDistrict(join(folder, 'fleet'))
  expect(district).toEqual(fleetDistrict(3, { structuresPerSite: 2 }))
  for (const { area, id } of district.sites) {
    const host = await SmallHost.open(mosquitto.url, { node: { group: area, node: id }, receipts: true })
    closers.push(() => host.close())
  }
  const end = JSON.parse(await runFleet({ ...options, seconds: '2' }, log, signal)) as FleetStats & { ran_s: number }
  expect(end).toMatchObject({ sites: 3, connected: 3, waiting: 0, receipted: end.made, readings: 2 * end.made })
  // 120 readings a second are 60 batches; what is due is made, however slow the machine. Sites begin as they are born.
  expect(end.made).toBeGreaterThanOrEqual(60 * (end.ran_s - 1))
  expect(end.made).toBeLessThan(60 * (end.ran_s + 10))
})

test('simulate fleet ends when it is told to, though its broker never came', async () => {
  const ending = new AbortController()
  const running = runFleet(given('--broker', 'mqtt://127.0.0.1:1'), pino({ level: 'silent' }), ending.signal)
  ending.abort()
  expect(JSON.parse(await running)).toMatchObject({ connected: 0, sent: 0 })
})

test('simulate fleet names the metrics that the catalogue has when it is given another', async () => {
  const running = runFleet(given('--metrics', 'level_up,depth'), pino({ level: 'silent' }), new AbortController().signal)
  await expect(running).rejects.toMatchObject({ message: expect.stringContaining('depth'), next: expect.stringContaining('level_down') })
})
