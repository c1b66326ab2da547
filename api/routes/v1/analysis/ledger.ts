import { Fault } from '#contract/fault.ts'
import { LedgerReply, SpanQuery } from '#contract/http/ledger.ts'
import { unixMs } from '#contract/units.ts'
import { ledgerOf } from '../../../analysis/ledger.ts'
import type { App } from '../../../app.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, type RouteContext } from '../../context.ts'
import { requireAction, requireSpan } from './require.ts'

const MOST_DAYS = 92

/** /api/v1/sites/:id/ledger */
export function ledgerRoutes(app: App, { district, history, registry, now }: RouteContext): void {
  app.get(
    '/sites/:id/ledger',
    {
      schema: {
        tags: ['analysis'],
        summary: 'How a site’s readings came: live, late, missing, lost or corrected, by interval',
        params: IdParams,
        querystring: SpanQuery,
        response: { 200: LedgerReply, ...PROBLEMS },
      },
    },
    async (request) => {
      const { siteById, structures } = await district.read()
      const site = siteById.get(request.params.id)
      if (!site) throw new Fault('NOT_FOUND', `there is no site ${request.params.id}`, 'GET /api/v1/sites lists them')
      requireAction(signedInOf(request), 'read', site.area)
      const asked = requireSpan(request.query, { mostDays: MOST_DAYS })
      // What is still to come is not missing.
      const span = { from: asked.from, to: unixMs(Math.max(asked.from, Math.min(asked.to, now()))) }
      const entries = await ledgerOf({ history, registry }, site, { ...span, structures: structures.filter((s) => s.site === site.id) })
      return { site: site.id, ...span, entries }
    },
  )
}
