import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateSync } from 'node:zlib'
import mqtt, { type MqttClient } from 'mqtt'
import pino from 'pino'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BatchId, batchId, decodeReceipt } from '#contract/batch.ts'
import type { District } from '#contract/district.ts'
import { HEALTH_KEYS, healthMetrics, noHealth, type SiteHealth, type SiteState } from '#contract/health.ts'
import { LiveState } from '#contract/live.ts'
import { encodeLost } from '#contract/lost.ts'
import { bad, good } from '#contract/reading.ts'
import { decodePayload, encodePacked, encodePayload, metricValue, type SparkplugMetric } from '#contract/sparkplug/payload.ts'
import { metricOfReading } from '#contract/sparkplug/readings.ts'
import { deviceTopic, liveTopic, NAMES, nodeTopic, siteTopic } from '#contract/topics.ts'
import { unixMs } from '#contract/units.ts'
import { openHistory } from '#history/open.ts'
import type { History } from '#history/port.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { copyRegistry } from '#test/support/registry-template.ts'
import { type RealServer, startInflux1, startMosquitto, tempFolder, until } from '#test/support/servers.ts'
import { type Ingest, openIngest } from './main.ts'
import { IngestSettings } from './settings.ts'

const log = pino({ level: 'silent' })
const node = { group: 'yichang', node: 'yc-s001' }
const gate = { ...node, device: 'yc-zh-01' }
const district: District = {
  name: 'test',
  areas: [{ id: 'yichang', name: { zh: '义长', en: 'Yichang' }, order: 1 }],
  canals: [
    {
      id: 'zaohuo',
      name: { zh: '皂火干渠', en: 'Zaohuo' },
      area: 'yichang',
      parent: null,
      parent_chainage_km: null,
      length_km: 58,
      design_flow_m3s: 30,
    },
  ],
  sites: [
    { id: 'yc-s001', name: { zh: '一站', en: 'One' }, area: 'yichang', station: '皂火供水所', report_interval_ms: 1000 },
    { id: 'foreign', name: { zh: '外站', en: 'Foreign' }, area: 'yichang', station: '皂火供水所', report_interval_ms: 1000 },
  ],
  structures: ['yc-zh-01', 'yc-zh-02'].map((id, i) => ({
    id,
    name: { zh: `${id}闸`, en: id },
    provenance: 'invented' as const,
    area: 'yichang',
    canal: 'zaohuo',
    site: i === 0 ? 'yc-s001' : 'foreign',
    type: 'regulator' as const,
    leaves: 1,
    leaf_width_m: 3,
    leaf_height_m: 2,
    design_flow_m3s: 20,
    chainage_km: i,
    sill_m: 1030,
    datum_m: 1030,
    design_level_up_m: 1032,
    design_level_down_m: 1031,
    lat: 41,
    lon: 108,
  })),
}

let mosquitto: RealServer
let influx: RealServer
let registry: Registry
let history: History
let ingest: Ingest
let client: MqttClient
const folder = tempFolder('ingest')
const commands: { topic: string; payload: Buffer }[] = []
const live = new Map<string, LiveState>()

beforeAll(async () => {
  ;[mosquitto, influx] = await Promise.all([startMosquitto(), startInflux1()])
  registry = await openRegistry(await copyRegistry(join(folder, 'registry')), {
    log,
    migrationsFolder: fileURLToPath(new URL('../registry/migrations', import.meta.url)),
  })
  await registry.district.seed(district)
  history = await openHistory(influx.url, { log })
  const settings = Value.Default(IngestSettings, { rebirth_every_ms: 300, directory_refresh_ms: 500 }) as IngestSettings
  ingest = await openIngest(settings, { broker: { url: mosquitto.url }, history, registry, log })
  client = await mqtt.connectAsync(mosquitto.url)
  client.on('message', (topic, payload) => {
    if (topic.includes('/NCMD/')) commands.push({ topic, payload })
    else {
      const state: unknown = JSON.parse(payload.toString())
      if (Value.Check(LiveState, state)) live.set(state.gate, state)
    }
  })
  await client.subscribeAsync(['spBv1.0/+/NCMD/#', 'sluice/v1/live/#'])
  await until(async () => expect(await retained('spBv1.0/STATE/sluice')).toContain('"online":true'))
})
afterAll(async () => {
  await client.endAsync()
  await ingest.close()
  await history.close()
  await registry.close()
  await Promise.all([mosquitto.stop(), influx.stop()])
  rmSync(folder, { recursive: true, force: true })
})

async function retained(topic: string): Promise<string> {
  const other = await mqtt.connectAsync(mosquitto.url)
  try {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nothing retained on ${topic}`)), 300)
      other.on('message', (_topic, payload) => {
        clearTimeout(timer)
        resolve(payload.toString())
      })
      other.subscribe(topic)
    })
  } finally {
    await other.endAsync()
  }
}

// An agent as the contract describes it, made of the wire alone.
const BATCH_ALIAS = 99
const births: SparkplugMetric[] = [
  { name: 'level_up', alias: 1, datatype: 'Float', value: null, quality: 0, reason: 'no_value' },
  { name: 'flow', alias: 2, datatype: 'Float', value: null, quality: 0, reason: 'no_value' },
  { name: NAMES.batch, alias: BATCH_ALIAS, datatype: 'UInt64', value: null },
]
let bdSeq = 0n
async function bear(): Promise<void> {
  bdSeq++
  const timestamp = Date.now()
  await client.publishAsync(
    nodeTopic('NBIRTH', node),
    Buffer.from(
      encodePayload({
        timestamp,
        seq: 0,
        metrics: [
          { name: NAMES.bdSeq, datatype: 'UInt64', value: bdSeq },
          { name: NAMES.rebirth, datatype: 'Boolean', value: false },
          { name: NAMES.batch, datatype: 'UInt64', value: null },
        ],
      }),
    ),
  )
  await client.publishAsync(deviceTopic('DBIRTH', gate), Buffer.from(encodePayload({ timestamp, seq: 1, metrics: births })))
}
async function sendBatch(id: BatchId | null, metrics: SparkplugMetric[]): Promise<void> {
  const batch: SparkplugMetric[] = id === null ? [] : [{ alias: BATCH_ALIAS, datatype: 'UInt64', value: id }]
  await client.publishAsync(
    deviceTopic('DDATA', gate),
    Buffer.from(encodePayload({ timestamp: Date.now(), seq: 2, metrics: [...metrics, ...batch] })),
  )
}
const level = (t: number, value: number): SparkplugMetric =>
  metricOfReading('level_up', 1, { t: unixMs(t), reading: good(value) }, { historical: false })

function receipts(): BatchId[] {
  return commands.flatMap(({ payload }) =>
    decodePayload(payload).metrics.flatMap((m) => {
      const value = m.name === NAMES.receipt ? metricValue(m) : undefined
      return value instanceof Uint8Array ? (decodeReceipt(value) ?? []) : []
    }),
  )
}
const rebirths = (): number => commands.filter(({ payload }) => decodePayload(payload).metrics.some((m) => m.name === NAMES.rebirth)).length
const stored = async (id: string, metric = 'level_up'): Promise<unknown[]> => {
  const found = []
  for await (const s of history.samples({ gate: id, metrics: [metric], from: unixMs(0), to: unixMs(Date.now() + 1e6) }))
    found.push([s.t, s.reading])
  return found
}

test('data without a birth is not guessed at: a rebirth is asked for, nothing is receipted', async () => {
  await sendBatch(batchId(1, 1), [level(1000, 1)])
  await until(async () => expect(rebirths()).toBe(1))
  expect(receipts()).toEqual([])
})

test('a batch is live, in history and receipted; sent again it is receipted again and still there once', async () => {
  await bear()
  const t = Date.now()
  await sendBatch(batchId(1, 1), [
    level(t, 1.25),
    metricOfReading('flow', 2, { t: unixMs(t), reading: bad('timeout') }, { historical: false }),
  ])
  await until(async () => expect(receipts()).toEqual([batchId(1, 1)]))
  expect(live.get(gate.device)?.metrics['level_up']).toMatchObject({ t, v: 1.25, q: 0 })
  expect(await stored(gate.device)).toEqual([[t, good(1.25)]])
  expect(await stored(gate.device, 'flow')).toEqual([[t, bad('timeout')]])
  await sendBatch(batchId(1, 1), [level(t, 1.25)])
  await until(async () => expect(receipts()).toEqual([batchId(1, 1), batchId(1, 1)]))
  expect(await stored(gate.device)).toHaveLength(1)
})

test('values sent ahead of their batch are live, but neither stored nor receipted', async () => {
  const [t, before] = [Date.now(), receipts().length]
  await sendBatch(null, [level(t, 1.5)])
  await until(async () => expect(live.get(gate.device)?.metrics['level_up']?.v).toBe(1.5))
  expect(await stored(gate.device)).toHaveLength(1)
  expect(receipts()).toHaveLength(before)
})

test('an alias that the birth does not name stops the whole batch until a rebirth', async () => {
  const [asked, before] = [rebirths(), receipts().length]
  // Sent again as an agent does: rebirth requests are rate-limited.
  await until(async () => {
    await sendBatch(batchId(1, 2), [level(Date.now(), 1.5), { alias: 7, datatype: 'Float', value: 3 }])
    expect(rebirths()).toBeGreaterThan(asked)
  })
  expect(receipts()).toHaveLength(before)
})

test('a batch of another outbox is not read by an old birth: it waits for a new one', async () => {
  const [asked, before, t] = [rebirths(), receipts().length, Date.now()]
  // Each batch of the second outbox is refused until the birth: the first makes the old birth void, the others find none.
  await until(async () => {
    await sendBatch(batchId(2, 1), [level(t, 1.5)])
    expect(rebirths()).toBeGreaterThan(asked)
  })
  expect(receipts()).toHaveLength(before)
  await bear()
  await sendBatch(batchId(2, 1), [level(t, 1.5)])
  await until(async () => expect(receipts().slice(before)).toEqual([batchId(2, 1)]))
  // The tests that follow go on with the first outbox.
  await bear()
})

test('while history is away live goes on and nothing is receipted; when it is back all of it is', async () => {
  const before = receipts().length
  await influx.kill()
  const t = Date.now()
  const ids = [3, 4, 5].map((n) => batchId(1, n))
  for (const [i, id] of ids.entries()) {
    await sendBatch(id, [level(t + i, 2 + i)])
    await sendBatch(id, [level(t + i, 2 + i)])
  }
  await until(async () => expect(live.get(gate.device)?.metrics['level_up']?.v).toBe(4))
  expect(receipts()).toHaveLength(before)
  // The first went into the write that is being tried; each repetition was recognised and waits once.
  expect(ingest.stats().repeated).toBeGreaterThanOrEqual(3)
  await influx.start()
  await until(async () => expect(receipts().slice(before)).toEqual(ids))
  expect(await stored(gate.device)).toHaveLength(5)
})

test('what no gate is known for becomes a dead letter and is receipted, so that it blocks nobody; once registered it is stored', async () => {
  const unknown = { ...node, device: 'yc-zh-77' }
  await client.publishAsync(deviceTopic('DBIRTH', unknown), Buffer.from(encodePayload({ timestamp: Date.now(), seq: 3, metrics: births })))
  const send = async (id: BatchId): Promise<void> => {
    const metrics: SparkplugMetric[] = [level(Date.now(), 1), { alias: BATCH_ALIAS, datatype: 'UInt64', value: id }]
    await client.publishAsync(deviceTopic('DDATA', unknown), Buffer.from(encodePayload({ timestamp: Date.now(), seq: 4, metrics })))
  }
  await until(async () => {
    await send(batchId(1, 6))
    expect(receipts()).toContain(batchId(1, 6))
  })
  const { items } = await registry.deadLetters.list({ limit: 10, offset: 0 })
  expect(items.map((d) => [d.device, d.reason])).toEqual([['yc-zh-77', 'gate yc-zh-77 is not registered']])

  const [first] = district.structures
  if (!first) throw new Error('the district has no gate')
  await registry.district.addStructure({ ...first, id: 'yc-zh-77' })
  await until(async () => {
    await send(batchId(1, 7))
    expect((await stored('yc-zh-77')).length).toBeGreaterThan(0)
  })
})

test('dead letters of a gate that is registered later are taken again: every sample is in history, once', async () => {
  const late = { ...node, device: 'yc-zh-78' }
  await client.publishAsync(deviceTopic('DBIRTH', late), Buffer.from(encodePayload({ timestamp: Date.now(), seq: 5, metrics: births })))
  const t0 = Date.now() - 60_000
  const batches = [8, 9].map((n) => ({ id: batchId(1, n), samples: [0, 1, 2].map((i) => [t0 + n * 1000 + i, good(n + i)] as const) }))
  for (const { id, samples } of batches) {
    const metrics: SparkplugMetric[] = [
      ...samples.map(([t, reading]) => level(t, reading.quality === 'good' ? reading.value : 0)),
      { alias: BATCH_ALIAS, datatype: 'UInt64', value: id },
    ]
    await until(async () => {
      await client.publishAsync(deviceTopic('DDATA', late), Buffer.from(encodePayload({ timestamp: t0, seq: 6, metrics })))
      expect(receipts()).toContain(id)
    })
  }
  const letters = async () => (await registry.deadLetters.list({ limit: 100, offset: 0 })).items.filter((d) => d.device === late.device)
  const ask = () => registry.deadLetters.askReplay(late, { by: 'chief', at: unixMs(t0) })
  // Asked too early: they stay, and say why.
  expect(await ask()).toBe(2)
  const why = { state: 'refused', samples: 0, note: 'gate yc-zh-78 is not registered' }
  await until(async () => expect((await letters()).map((d) => d.replay)).toMatchObject([why, why]))

  const [first] = district.structures
  if (!first) throw new Error('the district has no gate')
  await registry.district.addStructure({ ...first, id: late.device })
  expect(await ask()).toBe(2)
  const done = { state: 'done', by: 'chief', samples: 3, note: '' }
  await until(async () => expect((await letters()).map((d) => d.replay)).toMatchObject([done, done]))
  expect(await stored(late.device)).toEqual(batches.flatMap((b) => b.samples))
  expect(await ask()).toBe(0)
})

test('bytes that are no payload are filed with their reason', async () => {
  await client.publishAsync(deviceTopic('DDATA', gate), Buffer.from([255, 255, 255]))
  await until(async () => {
    const { items } = await registry.deadLetters.list({ limit: 10, offset: 0 })
    expect(items.map((d) => d.reason)).toContain('DDATA: not a Sparkplug B payload')
  })
})

test('the death of an older session changes nothing; that of the present one takes its gates offline', async () => {
  const die = (seq: bigint): Promise<unknown> =>
    client.publishAsync(
      nodeTopic('NDEATH', node),
      Buffer.from(encodePayload({ metrics: [{ name: NAMES.bdSeq, datatype: 'UInt64', value: seq }] })),
    )
  await die(bdSeq - 1n)
  await sendBatch(null, [level(Date.now(), 1.75)])
  await until(async () => expect(live.get(gate.device)?.metrics['level_up']?.v).toBe(1.75))
  expect(live.get(gate.device)?.online).toBe(true)
  await die(bdSeq)
  await until(async () => expect(live.get(gate.device)?.online).toBe(false))
  await bear()
  await until(async () => expect(live.get(gate.device)?.online).toBe(true))
})

test('the last state of a gate is retained for whoever comes later', async () => {
  expect(JSON.parse(await retained(liveTopic('yichang', gate.device)))).toMatchObject({ gate: gate.device, site: 'yc-s001' })
})

test('an agent that has started anew and read nothing yet does not hide what was read before', async () => {
  await sendBatch(null, [level(Date.now(), 1.75)])
  await until(async () => expect(live.get(gate.device)?.metrics['level_up']?.v).toBe(1.75))
  await bear()
  const t = Date.now()
  await sendBatch(null, [metricOfReading('flow', 2, { t: unixMs(t), reading: good(7) }, { historical: false })])
  await until(async () => expect(live.get(gate.device)?.metrics['flow']).toMatchObject({ v: 7, q: 0 }))
  expect(live.get(gate.device)?.metrics['level_up']).toMatchObject({ v: 1.75, q: 0 })
})

test('a foreign node without receipts and without datatypes in its data is stored by its birth', async () => {
  const foreign = { group: 'yichang', node: 'foreign', device: 'yc-zh-02' }
  const t = Date.now()
  const bare = (topic: string, seq: number, metrics: SparkplugMetric[]): Promise<unknown> =>
    client.publishAsync(topic, Buffer.from(encodePayload({ timestamp: t, seq, metrics })))
  await bare(nodeTopic('NBIRTH', foreign), 0, [{ name: NAMES.bdSeq, datatype: 'UInt64', value: 0n }])
  await bare(deviceTopic('DBIRTH', foreign), 1, [{ name: 'rssi', alias: 0, datatype: 'Int32', value: -70, timestamp: t }])
  const data = encodePayload({ timestamp: t + 5, seq: 2, metrics: [{ alias: 0, datatype: 'Int32', value: -81, timestamp: t + 5 }] })
  await client.publishAsync(deviceTopic('DDATA', foreign), Buffer.from(withoutDatatype(data)))
  await until(async () =>
    expect(await stored('yc-zh-02', 'rssi')).toEqual([
      [t, good(-70)],
      [t + 5, good(-81)],
    ]),
  )
})

/** Takes field 4 (datatype) of the one metric out of an encoded payload. */
function withoutDatatype(bytes: Uint8Array): Uint8Array {
  const at = bytes.findIndex((b, i) => b === 0x20 && bytes[i + 1] === 3)
  const shorter = Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + 2)])
  const metric = shorter.indexOf(0x12)
  shorter[metric + 1] = (shorter[metric + 1] ?? 0) - 2
  expect(decodePayload(shorter).metrics[0]?.datatype).toBeUndefined()
  return shorter
}

test('readings that an agent has lost are in the registry before they are receipted', async () => {
  await bear()
  const id = batchId(0x1234, 77)
  const lost = [{ structure: gate.device, from: 1_790_000_000_000, to: 1_790_000_060_000, readings: 12, why: 'outbox_full' as const }]
  const metrics: SparkplugMetric[] = [
    { name: NAMES.batch, datatype: 'UInt64', value: id },
    { name: NAMES.lost, datatype: 'String', value: encodeLost(lost) },
  ]
  // The NBIRTH told both names without an alias.
  const birthAgain: SparkplugMetric[] = metrics.map((m) => ({ ...m, value: null }))
  const send = (type: 'NBIRTH' | 'NDATA', of: SparkplugMetric[]) =>
    client.publishAsync(nodeTopic(type, node), Buffer.from(encodePayload({ timestamp: Date.now(), seq: 0, metrics: of })))
  await send('NBIRTH', birthAgain)
  await send('NDATA', metrics)
  await until(async () => expect(receipts()).toContain(id))
  expect(await registry.gaps.lost('yc-s001', { from: unixMs(1_790_000_000_000), to: unixMs(1_790_000_001_000) })).toEqual(lost)
})

test('an agent that would deflate is told that it may; what it deflates is stored as any other, what can not be inflated is a dead letter', async () => {
  await bear()
  const timestamp = Date.now()
  const metrics: SparkplugMetric[] = [NAMES.batch, NAMES.deflate].map((name) => ({ name, timestamp, datatype: 'UInt64', value: null }))
  await client.publishAsync(nodeTopic('NBIRTH', node), Buffer.from(encodePayload({ timestamp, seq: 0, metrics })))
  await until(async () =>
    expect(
      commands.some(({ payload }) => decodePayload(payload).metrics.some((m) => m.name === NAMES.deflate && metricValue(m) === true)),
    ).toBe(true),
  )
  const id = batchId(0x1234, 88)
  const content: SparkplugMetric[] = [{ alias: BATCH_ALIAS, datatype: 'UInt64', value: id }, level(timestamp, 2.5)]
  const body = deflateSync(encodePayload({ metrics: content }))
  await client.publishAsync(deviceTopic('DDATA', gate), Buffer.from(encodePacked({ timestamp, seq: 3, body })))
  await until(async () => expect(receipts()).toContain(id))
  expect(JSON.stringify(await stored(gate.device))).toContain('2.5')
  const before = (await registry.deadLetters.list({ limit: 100, offset: 0 })).total
  await client.publishAsync(deviceTopic('DDATA', gate), Buffer.from(encodePacked({ timestamp, seq: 4, body: Buffer.from('no') })))
  await until(async () => expect((await registry.deadLetters.list({ limit: 100, offset: 0 })).total).toBe(before + 1))
})

test('a site’s health and presence are retained for whoever asks, and a new ingest goes on from there', async () => {
  const siteState = async (): Promise<SiteState> => JSON.parse(await retained(siteTopic('yichang', 'yc-s001'))) as SiteState
  const told = { ...noHealth(), outbox_bytes: 4096, slow_down: 0, errors: { timeout: 2 }, agent_version: '0.1.0' }
  const birth = (bdSeq: bigint, at: number, health: SiteHealth): SparkplugMetric[] => [
    { name: NAMES.bdSeq, timestamp: at, datatype: 'Int64', value: bdSeq },
    { name: NAMES.batch, timestamp: at, datatype: 'UInt64', value: null },
    ...healthMetrics(health, { keys: HEALTH_KEYS, timestamp: at, as: 'birth' }),
  ]
  const send = (topic: string, timestamp: number, metrics: SparkplugMetric[]): unknown =>
    client.publish(topic, Buffer.from(encodePayload({ timestamp, seq: 0, metrics })))
  const sent = Date.now() - 7000
  send(nodeTopic('NBIRTH', node), sent, birth(7n, sent, told))
  await until(async () => expect((await siteState()).health).toEqual(told))
  expect(await siteState()).toMatchObject({ online: true, site: 'yc-s001' })
  expect((await siteState()).receive_skew_ms).toBeGreaterThanOrEqual(7000)

  const changed = { ...told, slow_down: 2 }
  send(nodeTopic('NDATA', node), Date.now(), healthMetrics(changed, { keys: ['slow_down'], timestamp: Date.now(), as: 'data' }))
  await until(async () => expect((await siteState()).health).toEqual(changed))

  const { since } = await siteState()
  await ingest.close()
  const settings = Value.Default(IngestSettings, { rebirth_every_ms: 300, directory_refresh_ms: 500 }) as IngestSettings
  ingest = await openIngest(settings, { broker: { url: mosquitto.url }, history, registry, log })
  await until(async () => expect(await retained('spBv1.0/STATE/sluice')).toContain('"online":true'))
  send(
    nodeTopic('NDATA', node),
    Date.now(),
    healthMetrics({ ...changed, slow_down: 1 }, { keys: ['slow_down'], timestamp: Date.now(), as: 'data' }),
  )
  await until(async () => expect((await siteState()).health).toEqual({ ...told, slow_down: 1 }))
  expect((await siteState()).since).toBe(since)

  send(nodeTopic('NDEATH', node), Date.now(), [{ name: NAMES.bdSeq, datatype: 'Int64', value: 7n }])
  await until(async () => expect(await siteState()).toMatchObject({ online: false, health: { slow_down: 1 } }))
  expect((await siteState()).since).toBeGreaterThan(since)
})
