import type { FastifyRequest } from 'fastify'
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import type { History } from '#history/port.ts'
import type { App } from '../app.ts'
import type { Feed } from '../live/feed.ts'
import type { ApiSettings } from '../settings.ts'

type Deps = {
  readonly feed: Pick<Feed, 'states' | 'counts' | 'connected'>
  readonly socketClients: () => number
  readonly history: Pick<History, 'storageBytes'>
}

/** GET /metrics for Prometheus: the process, HTTP durations by route, live gates, live connections, the broker. */
export function registerMetrics(app: App, settings: ApiSettings['http'], deps: Deps): void {
  const register = new Registry()
  collectDefaultMetrics({ register })
  const seconds = new Histogram({
    name: 'sluice_http_request_duration_seconds',
    help: 'Time to answer, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [register],
  })
  app.addHook('onResponse', async (request, reply) => {
    // The route's pattern, not the address: the number of series must not grow with what people ask for.
    const route = request.routeOptions.url ?? 'none'
    seconds.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000)
  })

  const { feed, socketClients } = deps
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers: [register],
      collect() {
        this.set(read())
      },
    })
  gauge('sluice_live_gates', 'Gates with a last state', () => feed.states.size)
  new Gauge({
    name: 'sluice_history_bytes',
    help: 'Bytes on the disk of the history; absent where the store does not tell or is away',
    registers: [register],
    async collect() {
      this.reset()
      const bytes = await deps.history.storageBytes().catch(() => null)
      if (bytes !== null) this.set(bytes)
      else this.remove()
    },
  })
  gauge('sluice_socket_clients', 'Live connections of browsers', socketClients)
  gauge('sluice_mqtt_connected', '1 while the broker is connected', () => Number(feed.connected()))
  gauge('sluice_live_messages_changed', 'Live messages that changed a state, since the start', () => feed.counts.changed)
  gauge('sluice_live_messages_unchanged', 'Live messages that brought nothing new, since the start', () => feed.counts.unchanged)
  gauge('sluice_live_messages_refused', 'Live messages that were no valid state, since the start', () => feed.counts.refused)

  app.get(
    '/metrics',
    {
      schema: {
        tags: ['service'],
        security: [],
        summary: 'Figures for Prometheus',
        produces: ['text/plain'],
        response: { 200: Type.String({ description: 'Prometheus text format' }) },
      },
    },
    async (request, reply) => {
      if (!mayRead(settings, request))
        throw new Fault('NOT_ALLOWED', '/metrics is not open to this address', 'set http.metrics to everyone')
      reply.type(register.contentType).serializer(String)
      return await register.metrics()
    },
  )
}

const LOOPBACK = /^(127\.|::1$|::ffff:127\.|localhost$)/

function mayRead({ metrics, host }: ApiSettings['http'], { headers, socket }: FastifyRequest): boolean {
  switch (metrics) {
    case 'everyone':
      return true
    case 'nobody':
      return false
    case 'loopback': {
      // A reverse proxy on this machine connects from loopback too, for anybody: it tells by these headers.
      const forwarded = headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined
      return LOOPBACK.test(host) && LOOPBACK.test(socket.remoteAddress ?? '') && !forwarded
    }
  }
}
