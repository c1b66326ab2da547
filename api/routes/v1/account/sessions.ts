import { Type } from 'typebox'
import { SessionList } from '#contract/http/access.ts'
import type { App } from '../../../app.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, type RouteContext } from '../../context.ts'
import { endSession, sessionsOf } from '../people/held.ts'

/** /api/v1/account/sessions */
export function ownSessionRoutes(app: App, context: RouteContext): void {
  const tags = ['account']
  app.get(
    '/account/sessions',
    { schema: { tags, summary: 'The own sessions', response: { 200: SessionList, ...PROBLEMS } } },
    async (request) => {
      const signedIn = signedInOf(request)
      return { items: await sessionsOf(context, signedIn.person.id, signedIn) }
    },
  )
  app.delete(
    '/account/sessions/:id',
    {
      schema: {
        tags,
        summary: 'End one of the own sessions, wherever it is',
        params: IdParams,
        response: { 204: Type.Null({ description: 'Ended' }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { person } = signedInOf(request)
      await endSession(context, { person, id: request.params.id, by: person.login, ip: request.ip })
      return reply.code(204).send(null)
    },
  )
}
