import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import { serveStatus } from '#edge-agent/commission/status.ts'
import { checkOffer } from '#edge-agent/from-center/check-offer.ts'
import { SiteAgent } from '#edge-agent/from-center/site-agent.ts'
import { openEdge } from '#edge-agent/main.ts'
import type { EdgeSettings } from '#edge-agent/settings.ts'
import { profilesBeside } from './edge-config.ts'
import { runUntil } from './run.ts'
import { openSystemd } from './systemd.ts'

type Site = { readonly settings: EdgeSettings; readonly file: string; readonly text: string }

export async function runEdge({ settings, file, text }: Site, log: Logger, signal: AbortSignal): Promise<void> {
  const failing = new AbortController()
  await runUntil(AbortSignal.any([signal, failing.signal]), log, async (closers) => {
    const profiles = await profilesBeside(file)
    const agent = closers.add(
      'edge agent',
      await SiteAgent.open(
        { settings, text },
        {
          open: (s, center) => openEdge(s, { log: log.child({ site: s.site }), profiles, center }),
          check: (written) => checkOffer(settings, { ...written, profiles }),
          now: Date.now,
          log,
          // Whoever started this process starts it anew.
          onFatal: (error) => {
            log.fatal({ error: messageOf(error) }, 'the agent can not run after a change of its configuration')
            process.exitCode = 1
            failing.abort()
          },
        },
      ),
    )
    const edge = {
      get buses() {
        return agent.run.buses
      },
      get records() {
        return agent.run.records
      },
      status: () => agent.run.status(),
    }
    closers.add('status socket', await serveStatus(settings.outbox.path, () => edge.status(), log))
    if (settings.page) {
      // Most sites serve none, and it costs memory.
      const { servePage } = await import('#edge-agent/page/serve.ts')
      const page = closers.add('page', await servePage(settings.page, { edge, profiles, log }))
      log.info({ address: page.address }, 'the page of the site is served')
    }
    // A bus is read, well or badly, at least every few intervals; the first may wait for long time-outs.
    const isAlive = (): boolean => {
      const { buses, interval_ms } = edge.status()
      return buses.every((b) => b.read_ago_ms < Math.max(300_000, 20 * interval_ms))
    }
    closers.add('systemd', openSystemd(process.env, isAlive, log)).ready()
    log.info({ site: settings.site }, 'edge agent runs')
  })
}
