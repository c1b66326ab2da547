import { setTimeout as sleep } from 'node:timers/promises'
import { type Static, Type } from 'typebox'
import { messageOf } from '#contract/fault.ts'
import type { History } from '#history/port.ts'
import type { Registry } from '#registry/port.ts'
import type { App } from '../app.ts'

type Deps = {
  readonly registry: Pick<Registry, 'ready'>
  readonly history: Pick<History, 'ready'>
  readonly broker: { connected(): boolean }
}

const Part = Type.Unsafe<'up' | 'down'>(Type.Enum(['up', 'down']))
const Readiness = Type.Object({
  ready: Type.Boolean({ description: 'Live values can be shown to people who sign in. It does not depend on history' }),
  parts: Type.Object({ registry: Part, history: Part, broker: Part }),
})
type Readiness = Static<typeof Readiness>

const ANSWER_WITHIN_MS = 3000
// Anybody may ask; the stores are asked at most this often.
const FRESH_MS = 1000

/** GET /healthz: the process answers. GET /readyz: what it depends on. */
export function healthRoutes(app: App, deps: Deps): void {
  const tags = ['service']
  app.get(
    '/healthz',
    {
      schema: { tags, security: [], summary: 'The process is alive', response: { 200: Type.Object({ status: Type.Literal('ok') }) } },
    },
    async () => ({ status: 'ok' as const }),
  )

  let last: { at: number; parts: Promise<Readiness['parts']> } | undefined
  app.get(
    '/readyz',
    {
      schema: {
        tags,
        security: [],
        summary: 'Registry, history and broker; 503 only when the registry or the broker is out',
        response: { 200: Readiness, 503: Readiness },
      },
    },
    async (_request, reply) => {
      const now = performance.now()
      if (!last || now - last.at > FRESH_MS) last = { at: now, parts: readParts(app, deps) }
      const parts = await last.parts
      // History being away must not take the control room off a load balancer: live goes on without it.
      const ready = parts.registry === 'up' && parts.broker === 'up'
      return reply
        .code(ready ? 200 : 503)
        .header('cache-control', 'no-store')
        .send({ ready, parts })
    },
  )
}

async function readParts(app: App, { registry, history, broker }: Deps): Promise<Readiness['parts']> {
  const stateOf = async (part: string, ready: () => Promise<void>): Promise<'up' | 'down'> => {
    const giveUp = new AbortController()
    const late = sleep(ANSWER_WITHIN_MS, undefined, { signal: giveUp.signal }).then(() => {
      throw new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)
    })
    try {
      await Promise.race([ready(), late])
      return 'up'
    } catch (error) {
      app.log.warn({ part, error: messageOf(error) }, 'not ready')
      return 'down'
    } finally {
      giveUp.abort()
      late.catch(() => undefined) // the abort's own rejection
    }
  }
  const [registryState, historyState] = await Promise.all([
    stateOf('registry', () => registry.ready()),
    stateOf('history', () => history.ready()),
  ])
  return { registry: registryState, history: historyState, broker: broker.connected() ? 'up' : 'down' }
}
