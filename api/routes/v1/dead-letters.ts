import { Fault } from '#contract/fault.ts'
import { DeadLetterList, DeadLetterSource, PageQuery, ReplayAsked } from '#contract/http.ts'
import { may } from '#contract/may.ts'
import type { App } from '../../app.ts'
import { signedInOf } from '../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../problem.ts'
import type { RouteContext } from '../context.ts'

/** /api/v1/dead-letters */
export function deadLetterRoutes(app: App, { registry, now }: RouteContext): void {
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

  app.post(
    '/dead-letters/replay',
    {
      schema: {
        tags: ['data'],
        summary: 'Take the dead letters of one source to history again, once their reason is mended (as for the list)',
        description:
          'Ingest does it within its directory_refresh_ms; the list tells what came of it. Of a source without batches only the newest payload of each reason is kept.',
        body: DeadLetterSource,
        response: { 202: ReplayAsked, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { person } = signedInOf(request)
      if (!may(person.grants, 'replay_dead_letters', null)) {
        throw new Fault('NOT_ALLOWED', `${person.login} may not replay dead letters`, 'ask an engineer or administrator of the district')
      }
      const [source, at] = [request.body, now()]
      const asked = await registry.deadLetters.askReplay(source, { by: person.login, at })
      if (asked === 0) throw new Fault('NOT_FOUND', 'this source has no dead letter that waits', 'look at the list again')
      const subject = [source.group, source.node, source.device ?? ''].join('/')
      await registry.audit.append({ at, who: person.login, action: 'dead_letters.replay', subject, details: { asked } })
      return reply.code(202).send({ asked })
    },
  )
}
