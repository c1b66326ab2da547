import { randomUUID } from 'node:crypto'
import { Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import { MadeToken, NewToken, TokenList } from '#contract/http/access.ts'
import { may } from '#contract/may.ts'
import type { App } from '../../../app.ts'
import { makeToken, narrowed } from '../../../auth/tokens.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, type RouteContext } from '../../context.ts'
import { removeToken, tokensOf, tokenView } from '../people/held.ts'
import { triesPerMinute } from './tries.ts'

const DAY_MS = 86_400_000

/** /api/v1/account/tokens */
export function ownTokenRoutes(app: App, context: RouteContext): void {
  const { registry, district, doors, now } = context
  const tags = ['account']

  app.get(
    '/account/tokens',
    { schema: { tags, summary: 'The own tokens, without what they are sent as', response: { 200: TokenList, ...PROBLEMS } } },
    async (request) => ({ items: await tokensOf(context, signedInOf(request).person.id) }),
  )

  app.post(
    '/account/tokens',
    {
      config: { rateLimit: triesPerMinute(context) },
      schema: {
        tags,
        summary: 'A token for a program, that may at most what this person may; it is shown in this reply alone',
        body: NewToken,
        response: { 201: MadeToken, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const { person } = signedIn
      const { name, area, days, password } = request.body
      const scopes = [...new Set(['read' as const, ...request.body.scopes])]
      await doors.proveAgain(signedIn, { password, ip: request.ip })
      if (area !== null && !(await district.read()).areas.some((a) => a.id === area))
        throw new Fault('BAD_REQUEST', `there is no area ${area}`, 'GET /api/v1/areas lists them')
      const held = narrowed(person.grants, { scopes, area })
      const areas = [area, ...held.map((g) => g.area)]
      const useless = scopes.filter((scope) => !areas.some((a) => may(held, scope, a)))
      if (useless.length > 0)
        throw new Fault(
          'NOT_ALLOWED',
          `${person.login} may not ${useless.join(', ')} ${area === null ? '' : `in ${area} `}either`,
          'leave it out',
        )
      const at = now()
      const { token, tokenHash } = makeToken()
      const kept = { id: randomUUID(), tokenHash, personId: person.id, name, scopes, area, createdAt: at, expiresAt: at + days * DAY_MS }
      await registry.access.addToken(kept)
      await registry.audit.append({
        at,
        who: person.login,
        action: 'token.add',
        subject: `${person.login}:${name}`,
        details: { scopes, area, days, ip: request.ip },
      })
      return reply.code(201).send({ view: tokenView({ ...kept, usedAt: null }), token })
    },
  )

  app.delete(
    '/account/tokens/:id',
    {
      schema: {
        tags,
        summary: 'End one of the own tokens',
        params: IdParams,
        response: { 204: Type.Null({ description: 'Ended' }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { person } = signedInOf(request)
      await removeToken(context, { person, id: request.params.id, by: person.login, ip: request.ip })
      return reply.code(204).send(null)
    },
  )
}
