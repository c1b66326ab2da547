import { Type } from 'typebox'
import { Account, ChangePassword } from '#contract/http/access.ts'
import type { App } from '../../../app.ts'
import { hashPassword } from '../../../auth/password.ts'
import { requireStrong } from '../../../auth/password-rules.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import type { RouteContext } from '../../context.ts'
import { ownFactorRoutes } from './second-factor.ts'
import { ownSessionRoutes } from './sessions.ts'
import { ownTokenRoutes } from './tokens.ts'
import { triesPerMinute } from './tries.ts'

/** /api/v1/account: what everybody does with their own. */
export function accountRoutes(app: App, context: RouteContext): void {
  const { settings, registry, sessions, doors, now } = context
  const tags = ['account']

  app.get(
    '/account',
    { schema: { tags, summary: 'The own account', response: { 200: Account, ...PROBLEMS } } },
    async (request): Promise<Account> => {
      const { person, secondFactor } = signedInOf(request)
      const [factor, left] = await Promise.all([registry.access.secondFactor(person.id), registry.access.recoveryCodesLeft(person.id)])
      return {
        login: person.login,
        name: person.name,
        grants: person.grants.map(({ role, area }) => ({ role, area })),
        second_factor: {
          required: settings.control.second_factor === 'required',
          confirmed_at: factor?.confirmedAt ?? null,
          used: secondFactor,
          recovery_codes_left: left,
        },
      }
    },
  )

  app.put(
    '/account/password',
    {
      config: { firstPassword: true, rateLimit: triesPerMinute(context) },
      schema: {
        tags,
        summary: 'Change the own password; every other session of this person ends',
        body: ChangePassword,
        response: { 204: Type.Null({ description: 'Changed' }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const { person } = signedIn
      const { current, next } = request.body
      await doors.proveAgain(signedIn, { password: current, ip: request.ip })
      await requireStrong(next, { login: person.login, name: person.name, before: current })
      await registry.people.setPassword(person.id, { hash: await hashPassword(next), mustChange: false })
      const ended = await sessions.endAllOf(person.id, { but: signedIn.tokenHash })
      sessions.personChanged()
      await registry.audit.append({
        at: now(),
        who: person.login,
        action: 'password.change',
        subject: person.login,
        details: { ip: request.ip, sessions_ended: ended },
      })
      return reply.code(204).send(null)
    },
  )

  ownFactorRoutes(app, context)
  ownSessionRoutes(app, context)
  ownTokenRoutes(app, context)
}
