import { Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import { HoldList, HoldView } from '#contract/http/command.ts'
import { PageQuery } from '#contract/http.ts'
import { reaches, reachOf } from '#contract/may.ts'
import type { App } from '../../../app.ts'
import type { SignedIn } from '../../../auth/sessions.ts'
import { holdView } from '../../../control/view.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, pageOf, type RouteContext } from '../../context.ts'
import { requireCommand } from './rights.ts'

/** /api/v1/holds, /api/v1/canals/:id/hold: who has the control of a canal. */
export function holdRoutes(app: App, { district, registry, now }: RouteContext): void {
  const tags = ['control']
  const gone = { 204: Type.Null({ description: 'Done' }), ...PROBLEMS }
  const entryOf = (who: string, action: string, about: { canal: string; to?: string }) => {
    const { canal, ...details } = about
    return { at: now(), who, action, subject: canal, details }
  }

  app.get(
    '/holds',
    { schema: { tags, summary: 'Who holds the control of which canal', querystring: PageQuery, response: { 200: HoldList, ...PROBLEMS } } },
    async (request) => {
      const reach = reachOf(signedInOf(request).person.grants, 'read')
      const { canals } = await district.read()
      const seen = (await registry.control.holds()).filter((h) => reaches(reach, canals.find((c) => c.id === h.canal)?.area ?? ''))
      return pageOf(seen.map(holdView), request.query)
    },
  )

  app.put(
    '/canals/:id/hold',
    {
      schema: {
        tags,
        summary: 'Take the control of a canal that nobody holds, or that is handed over to you',
        params: IdParams,
        response: { 200: HoldView, ...PROBLEMS },
      },
    },
    async (request) => {
      const { person } = await commanderOf(signedInOf(request), request.params.id)
      const hold = { canal: request.params.id, login: person.login, name: person.name, since: now() }
      if (!(await registry.control.take(hold, entryOf(person.login, 'hold.take', { canal: hold.canal })))) {
        const other = (await registry.control.holds()).find((h) => h.canal === hold.canal)
        throw new Fault('CONFLICT', `${other?.name ?? 'somebody'} holds this canal`, 'let them hand it over')
      }
      return holdView({ ...hold, offeredTo: null })
    },
  )

  app.post(
    '/canals/:id/hold/offer',
    {
      schema: {
        tags,
        summary: 'Hand the control over: it is yours until the other takes it',
        params: IdParams,
        body: Type.Object({ to: Type.String({ minLength: 1, maxLength: 100 }) }, { additionalProperties: false }),
        response: gone,
      },
    },
    async (request, reply) => {
      const { person } = await commanderOf(signedInOf(request), request.params.id)
      const other = await registry.people.byLogin(request.body.to)
      if (!other) throw new Fault('NOT_FOUND', `nobody signs in as ${request.body.to}`, 'give the sign-in name')
      const [canal, by, to] = [request.params.id, person.login, other.login]
      if (!(await registry.control.offer(canal, { by, to }, entryOf(by, 'hold.offer', { canal, to }))))
        throw new Fault('CONFLICT', 'you do not hold this canal', 'take it first')
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/canals/:id/hold',
    { schema: { tags, summary: 'Give the control back', params: IdParams, response: gone } },
    async (request, reply) => {
      const { person } = await commanderOf(signedInOf(request), request.params.id)
      const canal = request.params.id
      if (!(await registry.control.release(canal, person.login, entryOf(person.login, 'hold.release', { canal }))))
        throw new Fault('CONFLICT', 'you do not hold this canal', 'nothing is to be given back')
      return reply.code(204).send(null)
    },
  )

  async function commanderOf(signedIn: SignedIn, canal: string): Promise<SignedIn> {
    const found = (await district.read()).canals.find((c) => c.id === canal)
    if (!found) throw new Fault('NOT_FOUND', `there is no canal ${canal}`, 'GET /api/v1/canals lists them')
    requireCommand(signedIn, found.area)
    return signedIn
  }
}
