import fastifyHelmet from '@fastify/helmet'
import type { App } from '../app.ts'
import type { ApiSettings } from '../settings.ts'

/** Everything comes from this server: scripts, styles, sockets. No inline script or style, no frame, no foreign host. */
export async function registerHelmet(app: App, settings: ApiSettings['session']): Promise<void> {
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        baseUri: ["'self'"],
        connectSrc: ["'self'"],
        fontSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        scriptSrc: ["'self'"],
        scriptSrcAttr: ["'none'"],
        styleSrc: ["'self'"],
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
