/** The bad day (test/soak/bad-day.soak.ts) in little: one of each trouble on a 2.5G link of real bandwidth and latency. */
import { expect, test } from 'vitest'
import { runBadDay } from '../support/bad-day.ts'

test('over a bad link with an outage, a half-open death, a new address and services away, nothing is lost and nothing is there twice', async () => {
  const result = await runBadDay({
    sites: 2,
    intervalMs: 1000,
    ms: 60_000,
    preset: 'bad',
    seed: 1,
    troubles: [
      { kind: 'half-open', at: 8000, forMs: 0 },
      { kind: 'half-open', at: 9000, forMs: 0 },
      { kind: 'outage', at: 22_000, forMs: 10_000 },
      { kind: 'agent', at: 24_000, forMs: 1000 },
      { kind: 'ingest', at: 36_000, forMs: 2000 },
      { kind: 'history', at: 40_000, forMs: 4000 },
      { kind: 'address', at: 48_000, forMs: 0 },
    ],
    broker: { silence_ms: 6000 },
    edge: { report: { silence_ms: 10_000 }, uplink: { retry_first_ms: 5000 } },
    patienceMs: 90_000,
  })
  expect(result.missing.slice(0, 5)).toEqual([])
  expect(result.extra.slice(0, 5)).toEqual([])
  expect(result.wrong.slice(0, 5)).toEqual([])
  expect(result.outside.slice(0, 5)).toEqual([])
  expect(result.kept).toBeGreaterThan(200)
  expect(result.connections).toBeGreaterThan(4)
})
