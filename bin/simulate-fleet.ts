import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { stringify } from 'yaml'
import type { District } from '#contract/district.ts'
import { Fault } from '#contract/fault.ts'
import { METRICS, metricOf } from '#contract/metrics.ts'
import { FLEET_DEFAULTS, type Fleet, type FleetStats, fleetDistrict, openFleet } from '#simulators/fleet.ts'
import { wholeNumber } from './edge-config.ts'
import { ended } from './run.ts'

export type FleetCommand = {
  sites: string
  structures: string
  metrics: string
  /** Readings a second of the whole fleet; 0 sends the backlog as fast as receipts come. */
  rate: string
  backlog: string
  broker: string
  username?: string
  sitesPerConnection: string
  seconds?: string
  writeDistrict?: string
}
export const FLEET_PASSWORD = 'SLUICE_FLEET_PASSWORD'
const LOOK_EVERY_MS = 500
const TELL_EVERY_MS = 10_000
/** What was made in the last moments has so long to get its receipt. */
const LAST_RECEIPTS_MS = 15_000

/** @returns what is to be said at the end: the fleet's counts as a line of JSON, or what was written. */
export async function runFleet(options: FleetCommand, log: Logger, signal: AbortSignal): Promise<string> {
  const sites = wholeNumber('--sites', options.sites, [1, 100_000])
  const district = fleetDistrict(sites, { structuresPerSite: wholeNumber('--structures', options.structures, [1, 100]) })
  if (options.writeDistrict !== undefined) {
    writeDistrict(district, options.writeDistrict)
    return `${sites} sites, ${district.structures.length} structures written to ${options.writeDistrict}\n`
  }
  const metrics = metricsOf(options.metrics)
  const rate = wholeNumber('--rate', options.rate, [0, 10_000_000])
  const password = process.env[FLEET_PASSWORD]
  const fleet = await openFleet(
    {
      ...FLEET_DEFAULTS,
      brokerUrl: options.broker,
      ...(options.username === undefined ? {} : { username: options.username }),
      ...(password === undefined ? {} : { password }),
      district,
      metrics,
      everyMs: rate === 0 ? 0 : (1000 * district.structures.length * metrics.length) / rate,
      backlog: wholeNumber('--backlog', options.backlog, [0, 1_000_000]),
      sitesPerConnection: wholeNumber('--sites-per-connection', options.sitesPerConnection, [1, 10_000]),
    },
    { log, now: Date.now, signal },
  )
  try {
    log.info({ sites, structures: district.structures.length, metrics: metrics.length, rate }, 'the fleet is born')
    const ending = options.seconds === undefined ? signal : AbortSignal.any([signal, after(options.seconds)])
    const began = performance.now()
    await tell(fleet, { log, signal: ending, isDone: () => rate === 0 && fleet.stats().made === fleet.stats().receipted })
    const ran_s = (performance.now() - began) / 1000
    fleet.rest()
    if (!signal.aborted) await fleet.delivered({ timeoutMs: LAST_RECEIPTS_MS })
    return `${JSON.stringify({ ran_s: Math.round(ran_s), ...fleet.stats() })}\n`
  } finally {
    await fleet.close()
  }
}

const after = (seconds: string): AbortSignal => AbortSignal.timeout(1000 * wholeNumber('--seconds', seconds, [1, 86_400]))

/** Tells how the fleet fares, until `signal` aborts or it is done. */
async function tell(fleet: Fleet, { log, signal, isDone }: { log: Logger; signal: AbortSignal; isDone: () => boolean }): Promise<void> {
  let before: FleetStats = fleet.stats()
  let at = performance.now()
  while (!signal.aborted && !isDone()) {
    await Promise.race([ended(signal), sleep(LOOK_EVERY_MS)])
    const [stats, now] = [fleet.stats(), performance.now()]
    if (now - at < TELL_EVERY_MS) continue
    const perSecond = (of: (s: FleetStats) => number): number => Math.round(((of(stats) - of(before)) / (now - at)) * 1000)
    log.info({ ...stats, readings_made_per_s: perSecond((s) => s.readings), receipts_per_s: perSecond((s) => s.receipted) }, 'the fleet')
    before = stats
    at = now
  }
}

function metricsOf(written: string): string[] {
  const names = [...new Set(written.split(','))]
  const unknown = names.filter((name) => metricOf(name) === undefined)
  if (unknown.length === 0) return names
  throw new Fault(
    'BAD_REQUEST',
    `--metrics names ${unknown.join(', ')}`,
    `use names of the catalogue: ${METRICS.map((m) => m.name).join(', ')}, opening_2 …`,
  )
}

/** As `sluice seed` reads it: without it the center knows none of these sites, and all that they send is a dead letter. */
function writeDistrict({ areas, canals, sites, structures }: District, folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, part] of Object.entries({ areas, canals, sites, structures }))
    writeFileSync(join(folder, `${name}.yaml`), stringify({ [name]: part }))
}
