/** A day's troubles on the `bad` preset, its schedule compressed into SLUICE_SOAK_MINUTES (120); bandwidth, latency and stalls are real. */
import { expect, test } from 'vitest'
import { dayOfTroubles, runBadDay } from '../support/bad-day.ts'

const MINUTES = Number(process.env['SLUICE_SOAK_MINUTES'] ?? 120)
const SEED = Number(process.env['SLUICE_SOAK_SEED'] ?? 1)
const SITES = 4

test('of a day on a bad link nothing is lost and nothing is there twice', async () => {
  const ms = MINUTES * 60_000
  const result = await runBadDay({
    sites: SITES,
    intervalMs: 5000,
    ms,
    preset: 'bad',
    seed: SEED,
    troubles: dayOfTroubles(ms, SEED),
    edge: { report: {}, uplink: { latency_ms: 2000 } },
    patienceMs: 20 * 60_000,
    log: (line) => process.stdout.write(`${line}\n`),
  })
  const gateDays = (result.gates * MINUTES) / 1440
  process.stdout.write(`
A bad day in ${MINUTES} min (seed ${SEED}, ${SITES} sites, ${result.gates} gates at 5 s, link bad)
  troubles                 ${Object.entries(result.done)
    .map(([kind, n]) => `${kind} ${n}`)
    .join(', ')}; connections ${result.connections}
  values kept              ${result.kept}
  lost                     ${result.missing.length}
  duplicated or invented   ${result.extra.length}
  wrong                    ${result.wrong.length}
  served values that history does not know within the deadband ${result.outside.length} of ${result.looked}
  on the wire              up ${result.up} B, down ${result.down} B (the link's own count: payload and 40 B for each packet with data)
  bytes per gate-day       ${Math.round((result.up + result.down) / gateDays)}, with ${result.connections} connections in ${MINUTES} min
`)
  expect(result.missing.slice(0, 5)).toEqual([])
  expect(result.extra.slice(0, 5)).toEqual([])
  expect(result.wrong.slice(0, 5)).toEqual([])
  expect(result.outside.slice(0, 5)).toEqual([])
  expect(result.kept).toBeGreaterThan(MINUTES * result.gates)
})
