import type { IncomingMessage } from 'node:http'
import { Fault } from '#contract/fault.ts'
import type { App } from '../app.ts'
import { isCrossSite } from '../auth/cross-site.ts'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Refuses what another site makes a browser send, beside the cookie's SameSite: older browsers know only the one or the other. */
export function registerCrossSiteGuard(app: App): void {
  app.addHook('onRequest', async (request) => {
    if (SAFE.has(request.method)) return
    const { headers } = request
    if (isCrossSite({ fetchSite: single(headers['sec-fetch-site']), origin: headers.origin, host: request.host })) {
      throw new Fault('NOT_ALLOWED', 'this request comes from another site', 'use the dashboard at its own address')
    }
  })
}

/** The same for a live connection's first request, which Fastify does not see. */
export function isCrossSiteHandshake(request: IncomingMessage, options: { readonly trustProxy: boolean }): boolean {
  const { headers } = request
  const forwarded = options.trustProxy ? single(headers['x-forwarded-host']) : undefined
  return isCrossSite({ fetchSite: single(headers['sec-fetch-site']), origin: headers.origin, host: forwarded ?? headers.host ?? '' })
}

const single = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value.join(',') : value)
