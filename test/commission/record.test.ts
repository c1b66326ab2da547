import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CommissioningRecord } from '#contract/commissioning.ts'
import { parseConfig } from '#contract/config.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { loadProfiles } from '#edge-agent/load-profiles.ts'
import { openEdge } from '#edge-agent/main.ts'
import { EdgeSettings } from '#edge-agent/settings.ts'
import { openHistory } from '#history/open.ts'
import type { History } from '#history/port.ts'
import { openIngest } from '#ingest/main.ts'
import { IngestSettings } from '#ingest/settings.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { root } from '#test/support/program.ts'
import { type RealServer, startMosquitto, tempFolder, until } from '#test/support/servers.ts'

const log = pino({ level: 'silent' })
const folder = tempFolder('record')
let mosquitto: RealServer
let registry: Registry
let history: History
beforeAll(async () => {
  mosquitto = await startMosquitto()
  registry = await openRegistry(`pglite:${join(folder, 'registry')}`, { log, migrationsFolder: join(root, 'registry', 'migrations') })
  await registry.district.seed(await loadDistrict(join(root, 'districts', 'hetao')))
  history = await openHistory(`duckdb:${join(folder, 'history.duckdb')}`, { log })
})
afterAll(async () => {
  await history?.close()
  await registry?.close()
  await mosquitto?.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('a record signed while the center is away reaches it later, once, over a restart of the agent', async () => {
  const profiles = await loadProfiles(join(root, 'edge-agent', 'profiles'))
  const settings = parseConfig(EdgeSettings, {
    file: 'site.yaml',
    text: JSON.stringify({
      site: 'sg-s001',
      area: 'sanshenggong',
      broker: { url: mosquitto.url },
      outbox: { path: join(folder, 'outbox') },
      buses: [{ name: 'b', host: '127.0.0.1', port: 9, devices: [{ structure: 'sg-zh-01', unit: 1, profile: 'sluice-gate-rtu' }] }],
    }),
  })
  const record: CommissioningRecord = {
    id: randomUUID(),
    structure: 'sg-zh-01',
    at: 1_790_000_000_000,
    by: '王工',
    note: 'gauge board new',
    profile: 'sluice-gate-rtu',
    agent_version: '0.1.0',
    readings: { level_up: 1.234, flow: 'timeout' },
    gauges: [{ metric: 'level_up', gauge: 1.24, read: 1.234 }],
    strokes: [{ leaf: 1, at: 1_790_000_000_000, from_m: 0, to_m: 0.2, reached_m: 0.2, travel_s: 61, end: 'arrived' }],
  }
  const first = await openEdge(settings, { log, profiles })
  first.records.add(record)
  await first.close()

  const edge = await openEdge(settings, { log, profiles })
  const abort = new AbortController()
  const ingest = await openIngest(
    parseConfig(IngestSettings, { file: 'defaults', text: '' }),
    { broker: { url: mosquitto.url }, history, registry, log },
    abort.signal,
  )
  try {
    expect(edge.records.list()).toEqual([{ record, at_center: false }])
    await until(async () => {
      void edge.records.tell()
      expect(edge.records.list()[0]?.at_center).toBe(true)
    })
    await edge.records.tell()
    const { items, total } = await registry.commissioning.list('sg-s001', { limit: 10, offset: 0 })
    expect(total).toBe(1)
    expect(items[0]?.record).toEqual(record)
  } finally {
    abort.abort()
    await ingest.close()
    await edge.close()
  }
})
