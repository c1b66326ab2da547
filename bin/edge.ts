import type { Logger } from 'pino'
import { loadProfiles } from '#edge-agent/load-profiles.ts'
import { openEdge } from '#edge-agent/main.ts'
import type { EdgeSettings } from '#edge-agent/settings.ts'
import { folders } from './folders.ts'
import { runUntil } from './run.ts'

export const runEdge = (settings: EdgeSettings, log: Logger, signal: AbortSignal): Promise<void> =>
  runUntil(signal, log, async (closers) => {
    const profiles = await loadProfiles(folders.profiles)
    closers.add('edge agent', await openEdge(settings, { log: log.child({ site: settings.site }), profiles }))
    log.info({ site: settings.site }, 'edge agent runs')
  })
