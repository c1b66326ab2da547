import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import mqtt from 'mqtt'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CommissioningRecord } from '#contract/commissioning.ts'
import { parseConfig } from '#contract/config.ts'
import { packSealed } from '#contract/signed.ts'
import { encodePayload } from '#contract/sparkplug/payload.ts'
import { NAMES } from '#contract/topics.ts'
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
import { copyRegistry } from '#test/support/registry-template.ts'
import { type RealServer, startMosquitto, tempFolder, until } from '#test/support/servers.ts'

const log = pino({ level: 'silent' })
const folder = tempFolder('record')
let mosquitto: RealServer
let registry: Registry
let history: History
beforeAll(async () => {
  mosquitto = await startMosquitto()
  registry = await openRegistry(await copyRegistry(join(folder, 'registry')), {
    log,
    migrationsFolder: join(root, 'registry', 'migrations'),
  })
  await registry.district.seed(await loadDistrict(join(root, 'districts', 'hetao')))
  history = await openHistory(`duckdb:${join(folder, 'history.duckdb')}`, { log })
})
afterAll(async () => {
  await history?.close()
  await registry?.close()
  await mosquitto?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const SITE_KEY = Buffer.alloc(32, 3).toString('base64url')
const recordOf = (structure: string): CommissioningRecord => ({
  id: randomUUID(),
  structure,
  at: 1_790_000_000_000,
  by: '王工',
  note: 'gauge board new',
  profile: 'sluice-gate-rtu',
  agent_version: '0.1.0',
  readings: { level_up: 1.234, flow: 'timeout' },
  gauges: [{ metric: 'level_up', gauge: 1.24, read: 1.234 }],
  strokes: [{ leaf: 1, at: 1_790_000_000_000, from_m: 0, to_m: 0.2, reached_m: 0.2, travel_s: 61, end: 'arrived' }],
})

test('a site with keys keeps telling its record until the center says so under the site’s seal, whatever others say', async () => {
  const profiles = await loadProfiles(join(root, 'edge-agent', 'profiles'))
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  const settings = parseConfig(EdgeSettings, {
    file: 'site.yaml',
    text: JSON.stringify({
      site: 'zg-s002',
      area: 'zonggan',
      broker: { url: mosquitto.url },
      outbox: { path: join(folder, 'outbox-keyed') },
      control: { command_keys: [x], site_key: SITE_KEY, state: join(folder, 'control') },
      buses: [{ name: 'b', host: '127.0.0.1', port: 9, devices: [{ structure: 'sg-zh-02', unit: 1, profile: 'sluice-gate-rtu' }] }],
    }),
  })
  const record = recordOf('sg-zh-02')
  const edge = await openEdge(settings, { log, profiles })
  const abort = new AbortController()
  const owner = await mqtt.connectAsync(mosquitto.url)
  try {
    edge.records.add(record)
    await until(async () => expect(edge.stats().connected).toBe(true))
    // The broker's owner says that the center has it.
    const say = (datatype: 'String' | 'Bytes', value: string | Uint8Array) =>
      owner.publishAsync(
        'spBv1.0/zonggan/NCMD/zg-s002',
        Buffer.from(encodePayload({ timestamp: Date.now(), metrics: [{ name: NAMES.commissioningReceipt, datatype, value }] })),
        { qos: 1 },
      )
    await say('String', record.id)
    await say('Bytes', packSealed({ mac: new Uint8Array(32), content: new TextEncoder().encode(record.id) }))
    // A rebirth is asked for behind them on the same way: once it comes, they have been heard.
    const ear = new Promise((heard) => owner.on('message', heard))
    await owner.subscribeAsync('spBv1.0/zonggan/NBIRTH/zg-s002')
    await owner.publishAsync(
      'spBv1.0/zonggan/NCMD/zg-s002',
      Buffer.from(encodePayload({ timestamp: Date.now(), metrics: [{ name: NAMES.rebirth, datatype: 'Boolean', value: true }] })),
    )
    await ear
    expect(edge.records.list()).toEqual([{ record, at_center: false }])

    await registry.keys.put([
      { site: 'zg-s002', area: 'zonggan', siteKey: SITE_KEY, mqttUser: 'zg-s002', mqttHash: '', madeAt: Date.now() },
    ])
    const ingest = await openIngest(
      parseConfig(IngestSettings, { file: 'defaults', text: '' }),
      { broker: { url: mosquitto.url }, history, registry, log },
      abort.signal,
    )
    try {
      await until(async () => {
        void edge.records.tell()
        expect(edge.records.list()[0]?.at_center).toBe(true)
      })
    } finally {
      abort.abort()
      await ingest.close()
    }
  } finally {
    await owner.endAsync(true)
    await edge.close()
  }
})

test('a second agent on the same outbox is refused by name; one as the same site with another outbox is told in the log', async () => {
  const profiles = await loadProfiles(join(root, 'edge-agent', 'profiles'))
  const settings = (outbox: string) =>
    parseConfig(EdgeSettings, {
      file: 'site.yaml',
      text: JSON.stringify({
        site: 'sg-s003',
        area: 'sanshenggong',
        broker: { url: mosquitto.url },
        outbox: { path: join(folder, outbox) },
        buses: [{ name: 'b', host: '127.0.0.1', port: 9, devices: [{ structure: 'sg-zh-03', unit: 1, profile: 'sluice-gate-rtu' }] }],
      }),
    })
  const said: string[] = []
  const listening = pino({ level: 'error' }, { write: (line: string) => said.push(line) })
  const first = await openEdge(settings('outbox-3'), { log: listening, profiles })
  await expect(openEdge(settings('outbox-3'), { log, profiles })).rejects.toMatchObject({
    code: 'DATA_IN_USE',
    message: `the outbox ${join(folder, 'outbox-3')} is in use by process ${process.pid}`,
  })
  const twin = await openEdge(settings('outbox-3b'), { log: listening, profiles })
  try {
    await until(async () => expect(said.join('')).toContain('another agent may run as this site'), 60_000)
  } finally {
    await twin.close()
    await first.close()
  }
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
  const record = recordOf('sg-zh-01')
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
