import { readFileSync } from 'node:fs'
import { Value } from 'typebox/value'
import { expect, test } from 'vitest'
import { HEALTH_KEYS, HEALTH_NUMBERS, HEALTH_TEXTS, healthMetrics, healthOf, noHealth, SiteHealth } from './health.ts'
import { birthTable, indexBirth, resolveMetrics } from './sparkplug/birth.ts'
import { decodePayload, encodePayload } from './sparkplug/payload.ts'
import { NAMES } from './topics.ts'
import { VERSION } from './version.ts'

const T = 1_790_000_000_000
const health: SiteHealth = {
  ...noHealth(),
  outbox_bytes: 5_000_000_000,
  outbox_room_h: 240.5,
  dropped_from: T - 5000,
  clock_skew_ms: -1500,
  clock_state: 1,
  errors: { timeout: 3 },
  agent_version: '0.1.0',
}
const wire = (as: 'birth' | 'data', keys = HEALTH_KEYS) =>
  decodePayload(encodePayload({ timestamp: T, seq: 0, metrics: healthMetrics(health, { keys, timestamp: T, as }) })).metrics

test('health comes out of a birth and of data by alias as it went in', () => {
  const birth = indexBirth(birthTable(T, wire('birth'), NAMES.batch))
  expect(healthOf(resolveMetrics(wire('birth'), birth).metrics)).toEqual(health)
  const data = resolveMetrics(wire('data', ['clock_skew_ms', 'outbox_bytes']), birth)
  expect(data.unknown).toEqual([])
  expect(healthOf(data.metrics)).toEqual({ clock_skew_ms: -1500, outbox_bytes: 5_000_000_000 })
})

test('a figure and two in one message cost few bytes', () => {
  const size = (keys: typeof HEALTH_KEYS): number =>
    encodePayload({ timestamp: T, seq: 0, metrics: healthMetrics(health, { keys, timestamp: T, as: 'data' }) }).length
  expect(size(['outbox_room_h'])).toBeLessThan(32)
  expect(size(['outbox_room_h', 'bytes_today'])).toBeLessThan(48)
})

test('what another agent says that is no figure is left out', () => {
  expect(healthOf([{ name: 'Health/errors', value: '{"timeout":"many","nonsense":2,"bad_reply":1}' }])).toEqual({
    errors: { bad_reply: 1 },
  })
  expect(healthOf([{ name: 'Health/errors', value: 'x' }])).toEqual({ errors: null })
  expect(healthOf([{ name: 'Health/slow_down', value: 'fast' }])).toEqual({ slow_down: null })
  expect(healthOf([{ name: 'Health/of_tomorrow', value: 1 }])).toEqual({})
})

test('each figure has an alias of its own below those that an outbox gives', () => {
  const aliases = [...Object.values(HEALTH_NUMBERS), ...Object.values(HEALTH_TEXTS)].map((e) => e.alias)
  expect(new Set(aliases).size).toBe(aliases.length)
  expect(Math.max(...aliases)).toBeLessThan(128)
  expect(Value.Check(SiteHealth, noHealth())).toBe(true)
})

test('the version is that of the package', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  expect(VERSION).toBe(version)
})
