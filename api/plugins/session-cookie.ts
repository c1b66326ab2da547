import fastifyCookie from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Fault } from '#contract/fault.ts'
import type { App } from '../app.ts'
import type { Sessions, SignedIn } from '../auth/sessions.ts'
import type { FindToken } from '../auth/tokens.ts'
import type { ApiSettings } from '../settings.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent this, null where nobody is signed in. Read it by `signedInOf`. */
    signedIn: SignedIn | null
  }
  interface FastifyContextConfig {
    /** A route under /api/v1 that needs no session. */
    open?: true
    /** A route for who has not changed the first password yet, too. */
    firstPassword?: true
  }
}

const COOKIE = 'sluice_session'
const HOUR_S = 3600

export type SessionCookie = {
  set(reply: FastifyReply, token: string): void
  clear(reply: FastifyReply): void
  /** Reads the token from a Cookie header, for what does not come through Fastify. */
  tokenOf(header: string | undefined): string | undefined
}

/** Cookies, and `request.signedIn`. Which routes need a session is the routes' business (`requireSession`). */
export async function registerSessionCookie(app: App, settings: ApiSettings['session']): Promise<SessionCookie> {
  await app.register(fastifyCookie)
  app.decorateRequest('signedIn', null)
  const secure = ({ protocol }: FastifyRequest): boolean =>
    settings.cookie_secure === 'auto' ? protocol === 'https' : settings.cookie_secure === 'always'
  const options = (reply: FastifyReply) => ({ path: '/', httpOnly: true, sameSite: 'strict' as const, secure: secure(reply.request) })
  return {
    set: (reply, token) => void reply.setCookie(COOKIE, token, { ...options(reply), maxAge: Math.round(settings.ttl_h * HOUR_S) }),
    clear: (reply) => void reply.clearCookie(COOKIE, options(reply)),
    tokenOf: (header) => (header === undefined ? undefined : app.parseCookie(header)[COOKIE]),
  }
}

/** Every route of this scope, save those marked `open`, answers only who is signed in: by the cookie, or by a token in its place. */
export function requireSession(scope: App, doors: { readonly sessions: Pick<Sessions, 'find'>; readonly findToken: FindToken }): void {
  scope.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.open) return
    const bearer = bearerOf(request.headers.authorization)
    const token = request.cookies[COOKIE]
    if (bearer !== undefined) request.signedIn = (await doors.findToken(bearer)) ?? null
    else request.signedIn = token === undefined ? null : ((await doors.sessions.find(token)) ?? null)
    const { person } = signedInOf(request)
    if (person.mustChangePassword && !request.routeOptions.config.firstPassword) throw passwordChangeNeeded()
  })
}

export const passwordChangeNeeded = (): Fault =>
  new Fault('PASSWORD_CHANGE_NEEDED', 'somebody else made this password', 'change it first: PUT /api/v1/account/password')

/** The routes of this scope are for people: a token does nothing here, or reads at most. */
export function refuseTokens(scope: App, { reads }: { readonly reads: 'allowed' | 'refused' }): void {
  scope.addHook('onRequest', async (request) => {
    if (request.signedIn?.by !== 'token' || (reads === 'allowed' && request.method === 'GET')) return
    throw new Fault('NOT_ALLOWED', 'this is for people, and a token came', 'sign in')
  })
}

/** @returns what follows `Bearer`; undefined where another scheme stands, which is a proxy's affair. */
function bearerOf(header: string | undefined): string | undefined {
  if (header === undefined || !/^Bearer\b/i.test(header)) return undefined
  return /^Bearer ([\w-]{1,200})$/i.exec(header)?.[1] ?? ''
}

/** @throws Fault NOT_SIGNED_IN */
export function signedInOf(request: FastifyRequest): SignedIn {
  if (!request.signedIn) throw new Fault('NOT_SIGNED_IN', 'nobody is signed in', 'sign in')
  return request.signedIn
}
