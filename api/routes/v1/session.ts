import { Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import { SessionInfo, SignIn } from '#contract/http.ts'
import type { App } from '../../app.ts'
import type { SignedIn } from '../../auth/sessions.ts'
import { signedInOf } from '../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../problem.ts'
import type { RouteContext } from '../context.ts'

const MINUTE_MS = 60_000

/** /api/v1/session */
export function sessionRoutes(app: App, { settings, signIn, sessions, cookie, registry, now }: RouteContext): void {
  app.post(
    '/session',
    {
      config: { open: true, rateLimit: { max: settings.sign_in.tries_per_minute, timeWindow: MINUTE_MS } },
      schema: {
        tags: ['session'],
        summary: 'Sign in; the reply sets the session cookie',
        security: [],
        body: SignIn,
        response: { 200: SessionInfo, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const outcome = await signIn({ ...request.body, ip: request.ip })
      switch (outcome.kind) {
        case 'in':
          cookie.set(reply, outcome.token)
          return infoOf(outcome.signedIn)
        case 'refused':
          throw new Fault('SIGN_IN_REFUSED', 'login or password is wrong', 'try again, or ask an administrator for a new password')
        case 'locked': {
          const minutes = Math.max(1, Math.ceil((outcome.until - now()) / MINUTE_MS))
          reply.header('retry-after', minutes * 60)
          throw new Fault('LOCKED_OUT', 'too many failed sign-ins', `try again in ${minutes} min`)
        }
      }
    },
  )

  app.get(
    '/session',
    { schema: { tags: ['session'], summary: 'Who is signed in', response: { 200: SessionInfo, ...PROBLEMS } } },
    async (request) => infoOf(signedInOf(request)),
  )

  app.delete(
    '/session',
    {
      schema: {
        tags: ['session'],
        summary: 'Sign out; live connections of this session are closed',
        response: { 204: Type.Null({ description: 'Signed out' }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { person, tokenHash } = signedInOf(request)
      await sessions.end(tokenHash)
      cookie.clear(reply)
      await registry.audit.append({
        at: now(),
        who: person.login,
        action: 'session.sign_out',
        subject: person.login,
        details: { ip: request.ip },
      })
      return reply.code(204).send(null)
    },
  )
}

const infoOf = ({ person, expiresAt }: SignedIn): SessionInfo => ({
  login: person.login,
  name: person.name,
  grants: [...person.grants],
  expires_at: expiresAt,
})
