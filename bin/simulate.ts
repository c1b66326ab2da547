import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { Fault } from '#contract/fault.ts'
import { unixMs } from '#contract/units.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { loadProfiles } from '#edge-agent/load-profiles.ts'
import { openCanals } from '#simulators/canal/open-canals.ts'
import { edgeConfigYaml } from '#simulators/edge-config.ts'
import { layoutOf, openSimulators } from '#simulators/main.ts'
import { loadScenario } from '#simulators/scenario.ts'
import { DEMO_PROFILE, folders } from './folders.ts'
import { ended } from './run.ts'

export type SimulateOptions = {
  district?: string
  host: string
  basePort: string
  seed: string
  sites?: string
  truth?: string
  scenario?: string
  controlPort?: string
  writeConfigs?: string
  mqtt: string
  outbox: string
  intervalMs: string
}

export async function runSimulators(options: SimulateOptions, log: Logger, signal: AbortSignal): Promise<void> {
  const district = await loadDistrict(options.district ?? folders.district)
  const profile = (await loadProfiles(folders.profiles)).get(DEMO_PROFILE)
  if (!profile)
    throw new Fault('PROFILE_INVALID', `there is no profile ${DEMO_PROFILE} in ${folders.profiles}`, 'restore the folder from the checkout')
  const settings = {
    district,
    profile,
    host: options.host,
    basePort: wholeNumber('--base-port', options.basePort),
    seed: wholeNumber('--seed', options.seed),
    ...(options.sites === undefined ? {} : { sites: options.sites.split(',') }),
    ...(options.truth === undefined ? {} : { truthFile: options.truth }),
    ...(options.scenario === undefined ? {} : { scenario: await loadScenario(options.scenario) }),
    ...(options.controlPort === undefined ? {} : { controlPort: wholeNumber('--control-port', options.controlPort) }),
  }
  if (options.writeConfigs !== undefined) {
    mkdirSync(options.writeConfigs, { recursive: true })
    const sites = layoutOf(settings)
    for (const site of sites) {
      const yaml = edgeConfigYaml(site, {
        brokerUrl: options.mqtt,
        outboxPath: join(options.outbox, site.id),
        pollIntervalMs: wholeNumber('--interval-ms', options.intervalMs),
        profile: DEMO_PROFILE,
      })
      writeFileSync(join(options.writeConfigs, `${site.id}.yaml`), yaml)
    }
    process.stdout.write(`${sites.length} configurations written to ${options.writeConfigs}\n`)
    return
  }
  const canals = openCanals(district, { seed: settings.seed, now: unixMs(Date.now()) })
  const simulators = await openSimulators({ ...settings, canals }, { now: Date.now, logger: log })
  log.info(
    { sites: simulators.sites.length, host: options.host, first: simulators.sites[0]?.port, control: simulators.controlUrl },
    'simulated gate hardware listens',
  )
  try {
    await ended(signal)
  } finally {
    await simulators.close()
  }
}

function wholeNumber(option: string, written: string): number {
  const n = Number(written)
  if (!Number.isInteger(n) || n < 0) throw new Fault('BAD_REQUEST', `${option} is ${written}`, 'give a whole number')
  return n
}
