/**
 * The promise, tried: agents, broker, ingest, InfluxDB and PostgreSQL are killed at random while 20 sites are read each second.
 * SLUICE_CHAOS_SECONDS and SLUICE_CHAOS_SEED lengthen and repeat a run.
 */
import { expect, test } from 'vitest'
import { INTERVAL_MS, killAtRandom, print, SECONDS, SILENCE_MS } from './killing.ts'

test('whatever is killed, every reading that an agent kept is in history exactly once with the value that the simulator served, and every value served is known within its deadband', async () => {
  const result = await killAtRandom({ seconds: SECONDS, receipts: 'required', patience: 60 })
  print('Kill test', result)
  expect(result.missing.slice(0, 5)).toEqual([])
  expect(result.extra.slice(0, 5)).toEqual([])
  expect(result.wrong.slice(0, 5)).toEqual([])
  expect(result.gaps.slice(0, 5)).toEqual([])
  expect(result.outside.slice(0, 5)).toEqual([])
  expect(result.looked).toBeGreaterThan(SECONDS * 20 * 8 * 0.5)
  expect(result.kept).toBeGreaterThan((result.looked * INTERVAL_MS) / SILENCE_MS)
  for (const victim of ['agent', 'broker', 'ingest', 'influxdb', 'postgresql'])
    expect(result.kills[victim]).toBeGreaterThanOrEqual(SECONDS >= 60 ? 2 : 1)
})
