import fc from 'fast-check'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { batchId, counterOf, decodeReceipt, encodeReceipt, epochOf, toBatchId } from './batch.ts'
import { parseConfig } from './config.ts'
import { Fault } from './fault.ts'
import { shortestFloat32 } from './float32.ts'
import { judgeAge, type LiveState, mergeLive } from './live.ts'
import { leafOfOpening, METRICS, metricOf, openingOfLeaf } from './metrics.ts'
import { BAD_REASONS, type BadReason, bad, good, qualityCode, type Reading, readingOf, stale } from './reading.ts'
import { birthTable, indexBirth, resolveMetrics } from './sparkplug/birth.ts'
import { decodePayload, encodePayload } from './sparkplug/payload.ts'
import { asTransmitted, metricOfReading, readingOfMetric } from './sparkplug/readings.ts'
import { deviceTopic, nodeTopic, parseSparkplugTopic } from './topics.ts'
import { unixMs } from './units.ts'

const reading: fc.Arbitrary<Reading> = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((v) => good(shortestFloat32(v))),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((v) => stale(shortestFloat32(v))),
  fc.constantFrom(...(Object.keys(BAD_REASONS) as BadReason[])).map(bad),
)
const word = fc.integer({ min: 0, max: 0xffff_ffff })

test('a reading comes back from the store as it went in', () => {
  fc.assert(
    fc.property(reading, (r) => {
      expect(readingOf(r.quality === 'bad' ? null : r.value, qualityCode(r))).toEqual(r)
    }),
  )
})

test('a reading survives the wire by alias alone, quality and reason included', () => {
  fc.assert(
    fc.property(reading, fc.nat(), (r, alias) => {
      const t = unixMs(1_700_000_000_123)
      const birth = birthTable(
        t,
        decodePayload(encodePayload({ metrics: [{ name: 'level_up', alias, datatype: 'Float', value: null }] })).metrics,
        'Outbox/Batch',
      )
      const sent = encodePayload({ metrics: [metricOfReading('level_up', alias, { t, reading: r }, { historical: false })] })
      const { metrics, unknown } = resolveMetrics(decodePayload(sent).metrics, indexBirth(birth))
      expect(unknown).toEqual([])
      expect(metrics.map((m) => readingOfMetric(m, unixMs(0)))).toEqual([{ t, reading: asTransmitted('level_up', r) }])
    }),
  )
})

test('an alias that no birth named is unknown, never another metric', () => {
  const data = decodePayload(encodePayload({ metrics: [{ alias: 9, datatype: 'Float', value: 1 }] }))
  expect(resolveMetrics(data.metrics, indexBirth({ at: 0, receipts: false, metrics: [] }))).toEqual({
    metrics: [],
    unknown: [9],
    unread: [],
  })
})

test('a batch id holds its epoch and counter, over the wire too', () => {
  fc.assert(
    fc.property(word, word, (epoch, counter) => {
      const id = batchId(epoch, counter)
      expect([epochOf(id), counterOf(id)]).toEqual([epoch, counter])
      expect(toBatchId(id)).toBe(id)
    }),
  )
  expect(() => batchId(-1, 0)).toThrow(RangeError)
  expect(() => batchId(0, 2 ** 32)).toThrow(RangeError)
})

test('a receipt names exactly the batches that it was made of, and other bytes name none', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word).map(([e, c]) => batchId(e, c))), (ids) => {
      expect(decodeReceipt(encodeReceipt(ids))).toEqual(ids)
    }),
  )
  expect(decodeReceipt(new Uint8Array())).toBeNull()
  expect(decodeReceipt(Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 1))).toBeNull()
  expect(decodeReceipt(Uint8Array.of(1, 0, 0))).toBeNull()
})

test('a 32-bit value is shown by its shortest decimal and is still the same 32-bit value', () => {
  expect(shortestFloat32(Math.fround(1.234))).toBe(1.234)
  expect(shortestFloat32(Math.fround(1052.37))).toBe(1052.37)
  fc.assert(
    fc.property(fc.float(), (f) => {
      expect(Math.fround(shortestFloat32(f))).toBe(f + 0) // -0 is stored as 0
    }),
  )
})

test('topics parse to what they were built from, and nothing else parses', () => {
  const id = fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/)
  fc.assert(
    fc.property(id, id, id, (group, node, device) => {
      expect(parseSparkplugTopic(deviceTopic('DDATA', { group, node, device }))).toEqual({
        kind: 'device',
        type: 'DDATA',
        group,
        node,
        device,
      })
      expect(parseSparkplugTopic(nodeTopic('NBIRTH', { group, node }))).toEqual({ kind: 'node', type: 'NBIRTH', group, node })
    }),
  )
  for (const topic of [
    'spBv1.0/STATE/host',
    'spBv1.0/g/DDATA/n',
    'spBv1.0/g/NDATA/n/d',
    'spBv1.0/g/NDATA',
    'spAv1.0/g/NDATA/n',
    'spBv1.0//NDATA/n',
    'spBv1.0/g/XDATA/n',
    'spBv1.0/g/DDATA/n/d/e',
    '',
  ]) {
    expect(parseSparkplugTopic(topic)).toBeNull()
  }
})

test('each leaf has its own opening metric, and every metric its unit, range and labels', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 99 }), (leaf) => {
      expect(leafOfOpening(openingOfLeaf(leaf))).toBe(leaf)
    }),
  )
  expect(metricOf('opening_7')).toMatchObject({ unit: 'm', datatype: 'Float' })
  expect(['opening_1', 'opening_0', 'opening_100', 'nonsense'].map((name) => metricOf(name))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
  for (const m of METRICS) expect(m.range[0]).toBeLessThan(m.range[1])
})

test('a late sample never replaces a newer one in the live state', () => {
  const state: LiveState = { gate: 'g', area: 'a', site: 's', online: true, metrics: {} }
  mergeLive(state, { flow: { t: 20, rx: 21, v: 2, q: 0 } })
  expect(mergeLive(state, { flow: { t: 10, rx: 30, v: 1, q: 0 } })).toEqual([])
  expect(state.metrics['flow']?.v).toBe(2)
})

test('a value older than its interval is stale, one from a dead site at once, and a bad one stays bad', () => {
  const value = { t: 1000, rx: 1000, v: 1, q: 0 }
  expect(judgeAge(value, { now: unixMs(15_000), staleAfterMs: 15_000, online: true })).toEqual(good(1))
  expect(judgeAge(value, { now: unixMs(16_001), staleAfterMs: 15_000, online: true })).toEqual(stale(1))
  expect(judgeAge(value, { now: unixMs(1001), staleAfterMs: 15_000, online: false })).toEqual(stale(1))
  expect(judgeAge({ ...value, v: null, q: 1 }, { now: unixMs(99_000), staleAfterMs: 15_000, online: true })).toEqual(bad('timeout'))
})

const Settings = Type.Object(
  {
    http: Type.Object(
      { port: Type.Integer({ default: 8080, minimum: 1, maximum: 65_535, env: 'PORT' }), host: Type.String({ default: '127.0.0.1' }) },
      { additionalProperties: false, default: {} },
    ),
    name: Type.String(),
    extra: Type.Optional(Type.Object({ must: Type.String({ env: 'MUST' }) })),
  },
  { additionalProperties: false },
)

test('settings take the file, then the environment, then the default', () => {
  expect(parseConfig(Settings, { file: 's.yaml', text: 'name: a' })).toEqual({ name: 'a', http: { port: 8080, host: '127.0.0.1' } })
  expect(parseConfig(Settings, { file: 's.yaml', text: 'name: a\nhttp: {port: 1}', env: { PORT: '99' } }).http.port).toBe(99)
  expect(parseConfig(Settings, { file: 's.yaml', text: 'name: a', env: { MUST: 'x' } }).extra).toEqual({ must: 'x' })
})

test('a mistake in the settings is named with its line, column and key, each once', () => {
  const mistakes = (text: string, env = {}): string => {
    try {
      parseConfig(Settings, { file: 's.yaml', text, env })
    } catch (error) {
      if (error instanceof Fault) return error.message
      throw error
    }
    return 'accepted'
  }
  expect(mistakes('name: a\nhttp:\n  prt: 1')).toBe('s.yaml:3:3: http.prt: is not a setting')
  expect(mistakes('http: {}')).toContain('name: is missing')
  expect(mistakes('name: a\nhttp:\n  port: 99999')).toContain('s.yaml:3:3: http.port:')
  expect(mistakes('name: a', { PORT: 'abc' })).toContain('http.port')
  expect(mistakes('name: [a')).toContain('s.yaml:1:')
  expect(mistakes('name: a\nname: b')).toContain('s.yaml:2:')
})
