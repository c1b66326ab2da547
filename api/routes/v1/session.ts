import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import { SessionInfo, SignIn } from '#contract/http.ts'
import type { App } from '../../app.ts'
import type { SignedIn } from '../../auth/sessions.ts'
import { lockedOut, minutesUntil } from '../../auth/sign-in.ts'
import { signedInOf } from '../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../problem.ts'
import type { RouteContext } from '../context.ts'
import { triesPerMinute } from './account/tries.ts'

/** /api/v1/session */
export function sessionRoutes(app: App, { settings, doors, sessions, cookie, registry, now }: RouteContext): void {
  app.post(
    '/session',
    {
      config: { open: true, rateLimit: triesPerMinute({ settings }) },
      schema: {
        tags: ['session'],
        summary: 'Sign in; the reply sets the session cookie',
        security: [],
        body: SignIn,
        response: { 200: SessionInfo, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const outcome = await doors.signIn({ ...request.body, ...originOf(request) })
      switch (outcome.kind) {
        case 'in':
          cookie.set(reply, outcome.token)
          return infoOf(outcome.signedIn)
        case 'refused':
          throw new Fault('SIGN_IN_REFUSED', 'login or password is wrong', 'try again, or ask an administrator for a new password')
        case 'code_needed':
          throw new Fault(
            'CODE_NEEDED',
            'this person signs in with a code too',
            'send it as code: of the authenticator app, or a recovery code',
          )
        case 'code_refused':
          throw new Fault('SIGN_IN_REFUSED', 'the code is wrong or was used', 'wait for the next code of the app, or use a recovery code')
        case 'locked':
          reply.header('retry-after', minutesUntil(outcome.until, now()) * 60)
          throw lockedOut(outcome.until, now())
      }
    },
  )

  app.get(
    '/session',
    {
      config: { firstPassword: true },
      schema: { tags: ['session'], summary: 'Who is signed in', response: { 200: SessionInfo, ...PROBLEMS } },
    },
    async (request) => infoOf(signedInOf(request)),
  )

  app.delete(
    '/session',
    {
      config: { firstPassword: true },
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

const MOST_AGENT = 300
const originOf = ({ ip, headers }: FastifyRequest) => ({ ip, agent: headers['user-agent']?.slice(0, MOST_AGENT) ?? null })

const infoOf = ({ person, expiresAt }: SignedIn): SessionInfo => ({
  login: person.login,
  name: person.name,
  grants: person.grants.map(({ role, area }) => ({ role, area })),
  expires_at: expiresAt,
  must_change_password: person.mustChangePassword,
})
