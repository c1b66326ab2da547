import type { Logger } from 'pino'
import { openEmbeddedBroker } from '#broker/embedded.ts'
import { accessOf } from './access.ts'
import { runUntil } from './run.ts'
import type { ServiceSettings } from './settings.ts'

export const runBroker = (settings: ServiceSettings, log: Logger, signal: AbortSignal): Promise<void> =>
  runUntil(signal, log, async (closers) => {
    closers.add('broker', await openEmbeddedBroker(settings.broker, { log, ...accessOf(settings.broker.accounts_file) }))
  })
