import type { Logger } from 'pino'
import { openApi } from '#api/main.ts'
import { openEmbeddedBroker } from '#broker/embedded.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { loadProfiles } from '#edge-agent/load-profiles.ts'
import { openEdge } from '#edge-agent/main.ts'
import type { EdgeSettings } from '#edge-agent/settings.ts'
import { openHistory } from '#history/open.ts'
import { openIngest } from '#ingest/main.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { Closers } from './closers.ts'
import { folders } from './folders.ts'
import type { ServiceSettings } from './settings.ts'

type Run = (closers: Closers) => Promise<void>

/** Opens, waits for the end, closes. */
async function until(signal: AbortSignal, log: Logger, open: Run): Promise<void> {
  const closers = new Closers(log)
  try {
    await open(closers)
    await ended(signal)
  } finally {
    await closers.closeAll()
  }
}

export function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

const registryOf = (settings: ServiceSettings, log: Logger): Promise<Registry> =>
  openRegistry(settings.registry.url, { log, migrationsFolder: folders.migrations })

export const runBroker = (settings: ServiceSettings, log: Logger, signal: AbortSignal): Promise<void> =>
  until(signal, log, async (closers) => {
    closers.add('broker', await openEmbeddedBroker(settings.broker, { log }))
  })

export const runIngest = (settings: ServiceSettings, log: Logger, signal: AbortSignal): Promise<void> =>
  until(signal, log, async (closers) => {
    const registry = closers.add('registry', await registryOf(settings, log))
    const history = closers.add('history', await openHistory(settings.history.url, { log }))
    closers.add('ingest', await openIngest(settings.ingest, { broker: settings.mqtt, history, registry, log }, signal))
    log.info('ingest runs')
  })

export const runApi = (settings: ServiceSettings, log: Logger, signal: AbortSignal): Promise<void> =>
  until(signal, log, async (closers) => {
    const registry = closers.add('registry', await registryOf(settings, log))
    const history = closers.add('history', await openHistory(settings.history.url, { log }))
    const api = await openApi(settings.api, {
      log,
      registry,
      history,
      mqttUrl: settings.mqtt.url,
      username: settings.mqtt.username,
      password: settings.mqtt.password,
      dashboardFolder: folders.dashboard,
    })
    closers.add('api', api)
    log.info({ address: api.address }, 'api runs')
  })

export const runEdge = (settings: EdgeSettings, log: Logger, signal: AbortSignal): Promise<void> =>
  until(signal, log, async (closers) => {
    const profiles = await loadProfiles(folders.profiles)
    closers.add('edge agent', await openEdge(settings, { log: log.child({ site: settings.site }), profiles }))
    log.info({ site: settings.site }, 'edge agent runs')
  })

export async function seedRegistry(settings: ServiceSettings, folder: string, log: Logger): Promise<void> {
  const district = await loadDistrict(folder)
  const registry = await registryOf(settings, log)
  try {
    const added = await registry.district.seed(district)
    process.stdout.write(
      `${added} rows added: ${district.areas.length} areas, ${district.canals.length} canals, ${district.sites.length} sites, ${district.structures.length} structures\n`,
    )
  } finally {
    await registry.close()
  }
}
