/** InfluxDB on a disk that runs full under load, with room again, killed and killed again: what it confirmed is there. */
import { readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, afterEach, expect, test } from 'vitest'
import { parseConfig } from '#contract/config.ts'
import { mendWal } from '#history/influx-wal.ts'
import { openHistory } from '#history/open.ts'
import { openIngest } from '#ingest/main.ts'
import { IngestSettings } from '#ingest/settings.ts'
import { openRegistry } from '#registry/open.ts'
import { FLEET_DEFAULTS, fleetDistrict, openFleet } from '#simulators/fleet.ts'
import { auditFleet } from '../support/fleet-audit.ts'
import { root } from '../support/program.ts'
import { startInflux1, startMosquitto, tempFolder, until } from '../support/servers.ts'
import { openSmallDisk } from '../support/small-disk.ts'

const METRICS = ['level_up', 'flow']
const BACKLOG = 20_000
const STEP_MS = 5000
/** Left free when the disk is filled: some batches still fit. */
const LEFT_BYTES = 256 * 1024
const disk = openSmallDisk('influx-full-disk', '64m')
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  if (disk) for (const name of readdirSync(disk.folder)) rmSync(join(disk.folder, name), { recursive: true })
})
afterAll(() => disk?.remove())

/** InfluxDB's own start after a full disk leaves a hole in its log, before what it confirms next. */
test.skipIf(!disk).each([
  { name: 'each start', mendFrom: 1 },
  { name: 'the start after the next', mendFrom: 2 },
])(
  'a full disk, a restart and a kill after it lose nothing that InfluxDB has confirmed, where its log is mended before $name',
  async ({ mendFrom }) => {
    const folder = tempFolder('influx-full-disk-registry')
    closers.push(() => rmSync(folder, { recursive: true, force: true }))
    const small = disk?.folder ?? ''
    const log = pino({ level: process.env['SLUICE_TEST_LOG'] ?? 'silent' })
    const [mosquitto, influx] = await Promise.all([startMosquitto(), startInflux1({ disk: small })])
    closers.push(
      () => mosquitto.stop(),
      () => influx.stop(),
    )
    let [starts, mended] = [0, 0]
    const restart = async (): Promise<void> => {
      await influx.kill()
      starts++
      if (starts >= mendFrom) mended += mendWal(join(small, 'wal')).length
      await influx.start()
    }
    const district = fleetDistrict(4, { structuresPerSite: 1 })
    const registry = await openRegistry(`pglite:${join(folder, 'registry')}`, {
      log,
      migrationsFolder: join(root, 'registry', 'migrations'),
    })
    closers.push(() => registry.close())
    await registry.district.seed(district)
    const history = await openHistory(influx.url, { log })
    closers.push(() => history.close())
    const ingest = await openIngest(
      parseConfig(IngestSettings, { file: 'test', text: '' }),
      { broker: { url: mosquitto.url }, history, registry, log },
      new AbortController().signal,
    )
    closers.push(() => ingest.close())
    const fleet = await openFleet(
      { ...FLEET_DEFAULTS, brokerUrl: mosquitto.url, district, everyMs: 0, metrics: METRICS, backlog: BACKLOG, retryMs: 1000 },
      { log, now: Date.now },
    )
    closers.push(() => fleet.close())
    const receipted = (): number => fleet.stats().receipted

    await until(async () => expect(receipted()).toBeGreaterThan(3), 30_000)
    const { bavail, bsize } = statfsSync(small)
    writeFileSync(join(small, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - LEFT_BYTES)))
    // It takes nothing any more.
    let before = -1
    await until(async () => {
      const now = receipted()
      const stands = now === before
      before = now
      await new Promise((resolve) => setTimeout(resolve, 2500))
      expect(stands).toBe(true)
    }, 60_000)
    expect(fleet.stats().waiting).toBeGreaterThan(0)
    rmSync(join(small, 'filler'))
    await restart()
    await until(async () => expect(receipted()).toBeGreaterThan(before + 5), 60_000)
    await restart()
    expect(await fleet.delivered({ timeoutMs: 60_000 })).toBe(true)
    await restart()
    expect(mended).toBeGreaterThan(0)

    const counts = await auditFleet(history, { district, metrics: METRICS, everyMs: STEP_MS, backlog: BACKLOG, stats: fleet.stats() })
    process.stdout.write(`full disk: ${JSON.stringify(counts)}; logs mended ${mended}\n`)
    const made = METRICS.length * BACKLOG * district.structures.length
    expect(counts).toEqual({ made, found: made, missing: 0, extra: 0, wrong: 0 })
  },
)
