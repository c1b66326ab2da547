import { randomUUID } from 'node:crypto'
import { Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import { NewSavedView, SavedView, SavedViewList } from '#contract/http/saved-view.ts'
import type { App } from '../../app.ts'
import { signedInOf } from '../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../problem.ts'
import { IdParams, type RouteContext } from '../context.ts'

/** Enough for one person to find again. */
const MOST_VIEWS = 100

/** /api/v1/views: each person's own. */
export function viewRoutes(app: App, { registry, now }: RouteContext): void {
  const tags = ['account']
  app.get(
    '/views',
    { schema: { tags, summary: 'The views that the person has saved, by name', response: { 200: SavedViewList, ...PROBLEMS } } },
    async (request) => ({ items: await registry.savedViews.of(signedInOf(request).person.id) }),
  )
  app.put(
    '/views',
    {
      schema: {
        tags,
        summary: 'Save a view; one of the same name is replaced',
        body: NewSavedView,
        response: { 200: SavedView, ...PROBLEMS },
      },
    },
    async (request) => {
      const { person } = signedInOf(request)
      const name = request.body.name.trim()
      const known = await registry.savedViews.of(person.id)
      if (known.length >= MOST_VIEWS && !known.some((v) => v.name === name))
        throw new Fault('CONFLICT', `${MOST_VIEWS} views are saved already`, 'delete one first')
      return await registry.savedViews.put(person.id, { id: randomUUID(), name, address: request.body.address, at: now() })
    },
  )
  app.delete(
    '/views/:id',
    {
      schema: {
        tags,
        summary: 'Delete a view of one’s own',
        params: IdParams,
        response: { 204: Type.Null({ description: 'Deleted' }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { person } = signedInOf(request)
      if (!(await registry.savedViews.remove(person.id, request.params.id)))
        throw new Fault('NOT_FOUND', 'there is no such view of yours', 'GET /api/v1/views lists them')
      return reply.code(204).send(null)
    },
  )
}
