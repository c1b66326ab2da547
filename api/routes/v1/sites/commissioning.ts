import { Fault } from '#contract/fault.ts'
import { CommissioningList } from '#contract/http/commissioning.ts'
import { PageQuery } from '#contract/http.ts'
import { may } from '#contract/may.ts'
import type { App } from '../../../app.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, type RouteContext } from '../../context.ts'

/** /api/v1/sites/:id/commissioning */
export function commissioningRoutes(app: App, { district, registry }: RouteContext): void {
  app.get(
    '/sites/:id/commissioning',
    {
      schema: {
        tags: ['district'],
        summary: 'What engineers have signed at the site, the last first',
        params: IdParams,
        querystring: PageQuery,
        response: { 200: CommissioningList, ...PROBLEMS },
      },
    },
    async (request) => {
      const { siteById } = await district.read()
      const site = siteById.get(request.params.id)
      if (!site) throw new Fault('NOT_FOUND', `there is no site ${request.params.id}`, 'GET /api/v1/sites lists them')
      const { person } = signedInOf(request)
      if (!may(person.grants, 'read', site.area)) {
        throw new Fault(
          'NOT_ALLOWED',
          `site ${site.id} lies in area ${site.area}, which ${person.login} may not see`,
          'ask an administrator for it',
        )
      }
      const { items, total } = await registry.commissioning.list(site.id, request.query)
      return { items: items.map(({ record, receivedAt }) => ({ record, received_at: receivedAt })), total, ...request.query }
    },
  )
}
