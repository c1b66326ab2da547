import { CanalList, PageQuery } from '#contract/http.ts'
import { reaches, reachOf } from '#contract/may.ts'
import type { App } from '../../app.ts'
import { signedInOf } from '../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../problem.ts'
import { pageOf, type RouteContext } from '../context.ts'

/** /api/v1/canals */
export function canalRoutes(app: App, { district }: RouteContext): void {
  app.get(
    '/canals',
    {
      schema: {
        tags: ['district'],
        summary: 'The canals of the areas that the person may see',
        querystring: PageQuery,
        response: { 200: CanalList, ...PROBLEMS },
      },
    },
    async (request) => {
      const reach = reachOf(signedInOf(request).person.grants, 'read')
      const { canals } = await district.read()
      return pageOf(
        canals.filter((c) => reaches(reach, c.area)),
        request.query,
      )
    },
  )
}
