import fastifyHelmet from '@fastify/helmet'
import type { App } from '../app.ts'
import type { ApiSettings } from '../settings.ts'

/** Everything comes from this server: scripts, styles, sockets. No inline script or style, no frame, no foreign host but the map’s tile servers, where the settings name any. */
export async function registerHelmet(app: App, { session: settings, map }: Pick<ApiSettings, 'session' | 'map'>): Promise<void> {
  const tileServers = [...new Set(map.layers.map(({ url }) => new URL(url.replaceAll(/[{}]/g, '')).origin))]
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        baseUri: ["'self'"],
        connectSrc: ["'self'", ...tileServers],
        fontSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        imgSrc: ["'self'", 'data:', ...tileServers],
        objectSrc: ["'none'"],
        scriptSrc: ["'self'"],
        scriptSrcAttr: ["'none'"],
        styleSrc: ["'self'"],
        workerSrc: ["'self'"],
      },
    },
    // Asks browsers to refuse http for this host from now on: only for who has said that there is always https.
    hsts: settings.cookie_secure === 'always',
    frameguard: { action: 'deny' },
    // With no-referrer some browsers send `Origin: null` from our own pages.
    referrerPolicy: { policy: 'same-origin' },
    // Means nothing without https, and browsers complain of it there.
    crossOriginOpenerPolicy: settings.cookie_secure === 'always',
    originAgentCluster: settings.cookie_secure === 'always',
  })
}
