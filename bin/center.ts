import { setFlagsFromString } from 'node:v8'
import type { Logger } from 'pino'
import { openApi } from '#api/main.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { openHistory } from '#history/open.ts'
import { startRetention } from '#history/retention.ts'
import { startRollUps } from '#history/roll-up-loop.ts'
import { openIngest } from '#ingest/main.ts'
import { startNotifier } from '#notify/notifier.ts'
import { planOf } from '#notify/plan.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { folders } from './folders.ts'
import { runUntil } from './run.ts'
import type { ServiceSettings } from './settings.ts'

export const ROLL_UP_EVERY_MS = 60_000

const registryOf = (settings: ServiceSettings, log: Logger): Promise<Registry> =>
  openRegistry(settings.registry.url, { log, migrationsFolder: folders.migrations })

export const runIngest = (settings: ServiceSettings, log: Logger, signal: AbortSignal): Promise<void> =>
  runUntil(signal, log, async (closers) => {
    const registry = closers.add('registry', await registryOf(settings, log))
    const history = closers.add('history', await openHistory(settings.history.url, { log }))
    closers.add('retention', startRetention(history, settings.history.retention, { log }))
    closers.add('roll-ups', startRollUps(history, { everyMs: ROLL_UP_EVERY_MS, log }))
    closers.add('ingest', await openIngest(settings.ingest, { broker: settings.mqtt, history, registry, log }, signal))
    log.info('ingest runs')
  })

/** By so much the heap may grow before old objects are collected: left to itself V8 keeps 300 MB and more of what an export has thrown away. */
const HEAP_GROWS_PERCENT = 50

export const runApi = (settings: ServiceSettings, log: Logger, signal: AbortSignal): Promise<void> => {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWS_PERCENT}`)
  return runUntil(signal, log, async (closers) => {
    const { url: mqttUrl, username, password } = settings.mqtt
    const registry = closers.add('registry', await registryOf(settings, log))
    const history = closers.add('history', await openHistory(settings.history.url, { log }))
    const api = await openApi(settings.api, {
      log,
      registry,
      history,
      mqttUrl,
      username,
      password,
      dashboardFolder: folders.dashboard,
      notificationPlan: planOf(settings.notify),
    })
    closers.add('api', api)
    closers.add('notify', startNotifier(settings.notify, { registry, log, env: process.env }))
    log.info({ address: api.address }, 'api runs')
  })
}

export async function seedRegistry(settings: ServiceSettings, folder: string, log: Logger): Promise<void> {
  const district = await loadDistrict(folder)
  const registry = await registryOf(settings, log)
  try {
    const added = await registry.district.seed(district)
    const { areas, canals, sites, structures } = district
    process.stdout.write(
      `${added} rows added: the district has ${areas.length} areas, ${canals.length} canals, ${sites.length} sites, ${structures.length} structures\n`,
    )
  } finally {
    await registry.close()
  }
}
