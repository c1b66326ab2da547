/** Two ingest workers with the same groups, killed, stood still and stopped in turn under load: the groups go from one to the other. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { openHistory } from '#history/open.ts'
import { openRegistry } from '#registry/open.ts'
import { FLEET_DEFAULTS, fleetDistrict, openFleet } from '#simulators/fleet.ts'
import { auditFleet } from '../support/fleet-audit.ts'
import { type Program, root, startProgram } from '../support/program.ts'
import { startInflux1, startMosquitto, startPostgres, tempFolder, until } from '../support/servers.ts'

const EVERY_MS = 50
const BACKLOG = 500
const LEASE_MS = 1000
const METRICS = ['level_up', 'flow', 'battery']
/** Batches that must be receipted between two hand-overs. */
const STRETCH = 100
const log = pino({ level: process.env['SLUICE_TEST_LOG'] ?? 'silent' })
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

test('when a worker is killed, stands still or is stopped the other takes its groups: every reading is in history once with its value, and no alarm is told twice', async () => {
  const folder = tempFolder('handover')
  closers.push(() => rmSync(folder, { recursive: true, force: true }))
  const [mosquitto, influx, postgres] = await Promise.all([startMosquitto(), startInflux1(), startPostgres()])
  for (const server of [mosquitto, influx, postgres]) closers.push(() => server.stop())
  const registry = await openRegistry(postgres.url, { log, migrationsFolder: join(root, 'registry', 'migrations') })
  closers.push(() => registry.close())
  const district = fleetDistrict(4, { structuresPerSite: 1 })
  await registry.district.seed(district)
  const high = { enabled: true, priority: 'high', limit: 1, deadband: 0, delay_on_ms: 1000, delay_off_ms: 0, months: null } as const
  for (const { id } of district.structures)
    await registry.alarms.setRule(`level_guarantee:${id}`, high, { who: 'test', at: Date.now(), area: null })

  const startWorker = async (worker: string): Promise<Program> => {
    const config = join(folder, `${worker}.yaml`)
    const ingest = { worker, groups: district.areas.map((a) => a.id), lease_ms: LEASE_MS }
    writeFileSync(
      config,
      stringify({ mqtt: { url: mosquitto.url }, history: { url: influx.url }, registry: { url: postgres.url }, ingest }),
    )
    const program = await startProgram(worker, ['ingest', '--config', config], { ready: 'ingest runs' })
    closers.push(() => program.kill())
    return program
  }
  const holders = async (): Promise<string[]> => (await registry.leases.held()).map(({ holder }) => holder)
  const heldBy = async (worker: string): Promise<void> =>
    await until(async () => expect(await holders()).toEqual(Array.from({ length: district.areas.length + 1 }, () => worker)))

  const a = await startWorker('a')
  const b = await startWorker('b')
  await heldBy('a')
  const fleet = await openFleet(
    { ...FLEET_DEFAULTS, brokerUrl: mosquitto.url, district, everyMs: EVERY_MS, metrics: METRICS, backlog: BACKLOG, retryMs: 1000 },
    { log, now: Date.now },
  )
  closers.push(() => fleet.close())
  const receipted = async (): Promise<void> => {
    const before = fleet.stats().receipted
    await until(async () => expect(fleet.stats().receipted).toBeGreaterThan(before + STRETCH))
  }
  await receipted()
  await a.kill()
  await heldBy('b')
  await receipted()
  await a.start()
  process.kill(b.pid(), 'SIGSTOP')
  await heldBy('a')
  await receipted()
  process.kill(b.pid(), 'SIGCONT')
  await until(async () => expect(b.log()).toContain('another worker has this group now'))
  await receipted()
  expect(await a.stop()).toBe(0)
  await heldBy('b')
  await receipted()
  fleet.rest()
  expect(await fleet.delivered({ timeoutMs: 30_000 })).toBe(true)
  // What a worker that had stood still would do late.
  await sleep(LEASE_MS)

  const history = await openHistory(influx.url, { log })
  closers.push(() => history.close())
  const counts = await auditFleet(history, { district, metrics: METRICS, everyMs: EVERY_MS, backlog: BACKLOG, stats: fleet.stats() })
  process.stdout.write(`handover: ${JSON.stringify(counts)}, ${fleet.stats().repeated} batches repeated\n`)
  expect(counts).toMatchObject({ missing: 0, extra: 0, wrong: 0 })
  const { items } = await registry.alarms.journal({}, { limit: 10_000, offset: 0 })
  const told = (kind: string): string[] => items.filter((e) => e.alarm.startsWith(`${kind}:`) && e.event !== 'rule_set').map((e) => e.event)
  expect(told('level_guarantee')).toEqual(district.structures.map(() => 'raised'))
  expect([...told('site_lost'), ...told('stale'), ...told('broker_lost')]).toEqual([])
  expect((await registry.deadLetters.list({ limit: 10, offset: 0 })).items).toEqual([])
})
