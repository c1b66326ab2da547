import { AreaList, PageQuery } from '#contract/http.ts'
import { reaches, reachOf } from '#contract/may.ts'
import type { App } from '../../app.ts'
import { signedInOf } from '../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../problem.ts'
import { pageOf, type RouteContext } from '../context.ts'

/** /api/v1/areas */
export function areaRoutes(app: App, { district }: RouteContext): void {
  app.get(
    '/areas',
    {
      schema: {
        tags: ['district'],
        summary: 'The areas that the person may see',
        querystring: PageQuery,
        response: { 200: AreaList, ...PROBLEMS },
      },
    },
    async (request) => {
      const reach = reachOf(signedInOf(request).person.grants, 'read')
      const { areas } = await district.read()
      return pageOf(
        areas.filter((a) => reaches(reach, a.id)),
        request.query,
      )
    },
  )
}
