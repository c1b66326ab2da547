import type { Logger } from 'pino'
import { serveStatus } from '#edge-agent/commission/status.ts'
import { openEdge } from '#edge-agent/main.ts'
import { servePage } from '#edge-agent/page/serve.ts'
import type { EdgeSettings } from '#edge-agent/settings.ts'
import { profilesBeside } from './edge-config.ts'
import { runUntil } from './run.ts'
import { openSystemd } from './systemd.ts'

export const runEdge = ({ settings, file }: { settings: EdgeSettings; file: string }, log: Logger, signal: AbortSignal): Promise<void> =>
  runUntil(signal, log, async (closers) => {
    const profiles = await profilesBeside(file)
    const edge = closers.add('edge agent', await openEdge(settings, { log: log.child({ site: settings.site }), profiles }))
    closers.add('status socket', await serveStatus(settings.outbox.path, () => edge.status(), log))
    if (settings.page) {
      const page = closers.add('page', await servePage(settings.page, { edge, profiles, log }))
      log.info({ address: page.address }, 'the page of the site is served')
    }
    // A bus is read, well or badly, at least every few intervals; the first may wait for long time-outs.
    const longest_ms = Math.max(300_000, 20 * settings.poll.interval_ms)
    const isAlive = (): boolean => edge.status().buses.every((b) => b.read_ago_ms < longest_ms)
    closers.add('systemd', openSystemd(process.env, isAlive, log)).ready()
    log.info({ site: settings.site }, 'edge agent runs')
  })
