import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  fastify,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify'
import type { Logger } from 'pino'
import { Fault, messageOf } from '#contract/fault.ts'
import type { NotificationPlan } from '#contract/notification.ts'
import { unixMs } from '#contract/units.ts'
import type { History } from '#history/port.ts'
import type { Registry } from '#registry/port.ts'
import { Sessions } from './auth/sessions.ts'
import { openDoors } from './auth/sign-in.ts'
import { type FindToken, openTokens } from './auth/tokens.ts'
import { ControlDesk } from './control/desk.ts'
import { openControlLink } from './control/link.ts'
import { openSigner } from './control/signer.ts'
import { DistrictView } from './district-view.ts'
import { AlarmList } from './live/alarm-list.ts'
import { type FeedAccess, openFeed } from './live/feed.ts'
import { Rooms } from './live/rooms.ts'
import { registerCompress } from './plugins/compress.ts'
import { isCrossSiteHandshake, registerCrossSiteGuard } from './plugins/cross-site.ts'
import { isPageAddress, registerDashboard, sendPage } from './plugins/dashboard.ts'
import { registerHelmet } from './plugins/helmet.ts'
import { lazyCompilers } from './plugins/lazy-compilers.ts'
import { registerMetrics } from './plugins/metrics.ts'
import { registerOpenapi } from './plugins/openapi.ts'
import { registerRateLimit } from './plugins/rate-limit.ts'
import { refuseTokens, registerSessionCookie, requireSession } from './plugins/session-cookie.ts'
import { registerSoundValues } from './plugins/sound-values.ts'
import { sendProblem } from './problem.ts'
import type { RouteContext } from './routes/context.ts'
import { healthRoutes } from './routes/health.ts'
import { accountRoutes } from './routes/v1/account/index.ts'
import { alarmDeedRoutes } from './routes/v1/alarms/deeds.ts'
import { alarmRoutes } from './routes/v1/alarms/index.ts'
import { alarmRuleRoutes } from './routes/v1/alarms/rules.ts'
import { analysisRoutes } from './routes/v1/analysis/index.ts'
import { areaRoutes } from './routes/v1/areas.ts'
import { auditRoutes } from './routes/v1/audit.ts'
import { balanceRoutes } from './routes/v1/balance.ts'
import { canalRoutes } from './routes/v1/canals.ts'
import { commandRoutes } from './routes/v1/commands/commands.ts'
import { holdRoutes } from './routes/v1/commands/holds.ts'
import { lockoutRoutes } from './routes/v1/commands/lockouts.ts'
import { consultationRoutes } from './routes/v1/consultations.ts'
import { deadLetterRoutes } from './routes/v1/dead-letters.ts'
import { exportRoutes } from './routes/v1/export/index.ts'
import { compareRoutes } from './routes/v1/gates/compare.ts'
import { gateRoutes } from './routes/v1/gates/gate.ts'
import { historyRoutes } from './routes/v1/gates/history.ts'
import { gatesRoutes } from './routes/v1/gates/index.ts'
import { volumeRoutes } from './routes/v1/gates/volume.ts'
import { mapRoutes } from './routes/v1/map.ts'
import { notificationRoutes } from './routes/v1/notifications/index.ts'
import { orderRoutes } from './routes/v1/orders/index.ts'
import { pastRoutes } from './routes/v1/past/index.ts'
import { peopleRoutes } from './routes/v1/people/index.ts'
import { planRoutes } from './routes/v1/plans/index.ts'
import { reportRoutes } from './routes/v1/reports/index.ts'
import { sessionRoutes } from './routes/v1/session.ts'
import { shiftRoutes } from './routes/v1/shift/index.ts'
import { commissioningRoutes } from './routes/v1/sites/commissioning.ts'
import { siteConfigRoutes } from './routes/v1/sites/configs.ts'
import { siteRoutes } from './routes/v1/sites.ts'
import { situationRoutes } from './routes/v1/situation.ts'
import { viewRoutes } from './routes/v1/views.ts'
import type { ApiSettings } from './settings.ts'
import { ConfigDesk } from './site-config/desk.ts'

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

export type ApiDeps = FeedAccess & {
  readonly log: Logger
  readonly registry: Registry
  readonly history: History
  /** The built dashboard; undefined serves the API alone. */
  readonly dashboardFolder: string | undefined
  /** Who is told of alarms, to be shown; the telling itself is another’s work. */
  readonly notificationPlan?: NotificationPlan | null
  /** Milliseconds since 1970 UTC; `Date.now` where it is not given. */
  readonly now?: () => number
}

const HOUR_MS = 3_600_000
/** A route that takes more says so itself. */
const MOST_BODY_BYTES = 64 * 1024

/** The application with everything but a port. Its `close` ends the live connections and leaves the broker; stores are their owner's. */
export async function buildApp(settings: ApiSettings, deps: ApiDeps): Promise<App> {
  const { log, registry, history } = deps
  const now = () => unixMs((deps.now ?? Date.now)())
  const app = newApp(settings, log)
  const sessions = new Sessions({ registry, now, ttlMs: settings.session.ttl_h * HOUR_MS })
  const doors = await openDoors(settings.sign_in, { registry, sessions, now })

  registerProblems(app)
  registerCrossSiteGuard(app)
  registerSoundValues(app)
  await registerHelmet(app, settings)
  await registerCompress(app)
  await registerRateLimit(app)
  const cookie = await registerSessionCookie(app, settings.session)

  const feed = openFeed(deps, { log })
  app.addHook('onClose', () => feed.close())
  const alarms = new AlarmList(registry.alarms, log)
  alarms.start()
  app.addHook('onClose', () => alarms.close())
  const rooms = Rooms.open(app.server, {
    log,
    feed,
    alarms,
    sessions,
    now,
    recheckMs: settings.session.recheck_ms,
    tokenOf: cookie.tokenOf,
    isCrossSite: (request) => isCrossSiteHandshake(request, { trustProxy: settings.http.trust_proxy.length > 0 }),
  })
  app.addHook('preClose', () => rooms.close())

  await registerOpenapi(app)
  registerMetrics(app, settings.http, { feed, socketClients: () => rooms.size, history })
  healthRoutes(app, { registry, history, broker: feed })
  const district = new DistrictView(registry)
  const link = openControlLink(
    deps,
    {
      news: (news) =>
        void desk.takeNews(news).catch((error: unknown) => log.error({ error: messageOf(error) }, 'a report about control was not taken')),
      asked: (node, nonce) =>
        void district
          .read()
          .then(({ structures }) => desk.answer(node, nonce, structures))
          .catch((error: unknown) => log.warn({ error: messageOf(error) }, 'an agent’s question for the time was not answered')),
      configNews: (node, sealed) =>
        void configs
          .takeNews(node, sealed)
          .catch((error: unknown) => log.error({ error: messageOf(error) }, 'a report about a configuration was not taken')),
    },
    log,
  )
  const signer = settings.control.key_file === undefined ? null : openSigner(settings.control.key_file)
  const desk = new ControlDesk({
    settings: settings.control,
    registry,
    signer,
    link,
    show: (area, message) => rooms.command(area, message),
    now,
    log,
  })
  desk.start()
  const configs = new ConfigDesk({ registry, signer, link, keyOf: (site) => desk.keyOf(site), sites: feed.sites, now, log })
  configs.start()
  app.addHook('onClose', async () => {
    desk.close()
    configs.close()
    await link.close()
  })
  const context: RouteContext = {
    settings,
    registry,
    history,
    states: feed.states,
    sites: feed.sites,
    alarms,
    district,
    control: desk,
    configs,
    sessions,
    doors,
    cookie,
    notificationPlan: deps.notificationPlan ?? null,
    now,
    // The registry keeps none yet.
    correctionsOf: async (gates, { metric, from, to }) =>
      await registry.corrections.inForce({ gates, metric, from: unixMs(from), to: unixMs(to) }),
  }
  await app.register(
    (scope, _options, done) => {
      registerV1(scope, context, openTokens({ registry, now }))
      done()
    },
    { prefix: '/api/v1' },
  )
  await registerPages(app, deps)
  return app
}

function newApp({ http: { trust_proxy } }: ApiSettings, log: Logger): App {
  return fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: trust_proxy.length > 0 ? trustedProxies(trust_proxy) : false,
    bodyLimit: MOST_BODY_BYTES,
    // A browser's open connection must not hold up a stop.
    forceCloseConnections: true,
    schemaController: { compilersFactory: lazyCompilers },
    ajv: { customOptions: { removeAdditional: false } },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>()
}

function trustedProxies(proxies: readonly string[]): string[] {
  const wrong = proxies.filter((proxy) => !isAddressOrNetwork(proxy))
  if (wrong.length === 0) return [...proxies]
  throw new Fault('CONFIG_INVALID', `http.trust_proxy: ${wrong.join(', ')} is no address or network`, 'write 10.0.0.1 or 10.0.0.0/8')
}

function isAddressOrNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return rest.length === 0 && most > 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
}

function registerProblems(app: App): void {
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply))
  app.removeContentTypeParser('text/plain')
  app.addHook('onResponse', async (request, reply) => {
    const { method, url } = request
    app.log.debug({ method, url: url.split('?', 1)[0], status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'request')
  })
}

function registerV1(scope: App, context: RouteContext, findToken: FindToken): void {
  requireSession(scope, { sessions: context.sessions, findToken })
  // What is told to one person is nobody else's, and is old at once.
  scope.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'))
  areaRoutes(scope, context)
  canalRoutes(scope, context)
  mapRoutes(scope, context)
  siteRoutes(scope, context)
  commissioningRoutes(scope, context)
  siteConfigRoutes(scope, context)
  gatesRoutes(scope, context)
  gateRoutes(scope, context)
  historyRoutes(scope, context)
  volumeRoutes(scope, context)
  compareRoutes(scope, context)
  balanceRoutes(scope, context)
  situationRoutes(scope, context)
  shiftRoutes(scope, context)
  pastRoutes(scope, context)
  consultationRoutes(scope, context)
  exportRoutes(scope, context)
  deadLetterRoutes(scope, context)
  analysisRoutes(scope, context)
  reportRoutes(scope, context)
  alarmRoutes(scope, context)
  alarmDeedRoutes(scope, context)
  alarmRuleRoutes(scope, context)
  notificationRoutes(scope, context)
  scope.register((people, _options, done) => {
    refuseTokens(people, { reads: 'refused' })
    sessionRoutes(people, context)
    accountRoutes(people, context)
    peopleRoutes(people, context)
    viewRoutes(people, context)
    auditRoutes(people, context)
    done()
  })
  // A gate moves by a person's hand.
  scope.register((control, _options, done) => {
    refuseTokens(control, { reads: 'allowed' })
    commandRoutes(control, context)
    lockoutRoutes(control, context)
    holdRoutes(control, context)
    orderRoutes(control, context)
    planRoutes(control, context)
    done()
  })
}

async function registerPages(app: App, { dashboardFolder, log }: ApiDeps): Promise<void> {
  const folder = dashboardFolder === undefined ? undefined : resolve(dashboardFolder)
  const served = folder !== undefined && existsSync(join(folder, 'index.html'))
  if (served) await registerDashboard(app, folder)
  else if (folder !== undefined) log.warn({ folder }, 'the dashboard is not there: only the API is served')
  app.setNotFoundHandler((request, reply) => {
    if (served && isPageAddress(request)) return sendPage(reply)
    const path = request.url.split('?', 1)[0]
    throw new Fault('NOT_FOUND', `there is no ${request.method} ${path}`, 'GET /api/openapi.json lists what there is')
  })
}
