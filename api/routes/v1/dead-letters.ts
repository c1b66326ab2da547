import { Fault } from '#contract/fault.ts'
import { DeadLetterList, PageQuery } from '#contract/http.ts'
import type { App } from '../../app.ts'
import { may } from '../../auth/may.ts'
import { signedInOf } from '../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../problem.ts'
import type { RouteContext } from '../context.ts'

/** /api/v1/dead-letters */
export function deadLetterRoutes(app: App, { registry }: RouteContext): void {
  app.get(
    '/dead-letters',
    {
      schema: {
        tags: ['data'],
        summary: 'What could not be understood, newest first (engineers and administrators of the whole district)',
        querystring: PageQuery,
        response: { 200: DeadLetterList, ...PROBLEMS },
      },
    },
    async (request) => {
      const { person } = signedInOf(request)
      // What nobody could understand belongs to no area for certain, so a grant for one area does not open it.
      if (!may(person.grants, 'read_dead_letters', null)) {
        throw new Fault('NOT_ALLOWED', `${person.login} may not see dead letters`, 'ask an engineer or administrator of the district')
      }
      const { limit, offset } = request.query
      const { items, total } = await registry.deadLetters.list({ limit, offset })
      return {
        items: items.map(({ firstAt, lastAt, ...letter }) => ({ ...letter, first_at: firstAt, last_at: lastAt })),
        total,
        limit,
        offset,
      }
    },
  )
}
