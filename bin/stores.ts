import { statSync } from 'node:fs'
import type { Logger } from 'pino'
import { openHistory } from '#history/open.ts'
import type { History } from '#history/port.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { backUp } from './backup.ts'
import { folders } from './folders.ts'
import { restore } from './restore.ts'
import type { ServiceSettings } from './settings.ts'

export type StoreSettings = {
  readonly history: Pick<ServiceSettings['history'], 'url'>
  readonly registry: Pick<ServiceSettings['registry'], 'url'>
}

/** Opens both stores for one piece of work. */
export async function withStores<T>(
  settings: StoreSettings,
  log: Logger,
  work: (stores: { registry: Registry; history: History }) => Promise<T>,
): Promise<T> {
  const registry = await openRegistry(settings.registry.url, { log, migrationsFolder: folders.migrations })
  try {
    const history = await openHistory(settings.history.url, { log })
    try {
      return await work({ registry, history })
    } finally {
      await history.close()
    }
  } finally {
    await registry.close()
  }
}

export const runBackup = (settings: StoreSettings, to: string, log: Logger): Promise<string> =>
  withStores(settings, log, async (stores) => {
    const { path, counts, sha256 } = await backUp(stores, to)
    const megabytes = (statSync(path).size / 1e6).toFixed(1)
    return `${path}: ${megabytes} MB, ${counts.rows} rows of the registry, ${counts.samples} samples, ${counts.roll_ups} roll-ups\nsha256 of its content ${sha256}\n`
  })

export const runRestore = (settings: StoreSettings, from: string, log: Logger): Promise<string> =>
  withStores(settings, log, async (stores) => {
    const { head, end } = await restore(stores, from)
    return `restored as of ${new Date(head.made_at).toISOString()}: ${end.rows} rows of the registry, ${end.samples} samples, ${end.roll_ups} roll-ups\n`
  })
