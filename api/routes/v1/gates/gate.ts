import { Gate } from '#contract/http.ts'
import type { App } from '../../../app.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, type RouteContext } from '../../context.ts'
import { gateOf, visibleStructure } from './gate-of.ts'

/** /api/v1/gates/:id */
export function gateRoutes(app: App, { district, states, sites }: RouteContext): void {
  app.get(
    '/gates/:id',
    {
      schema: {
        tags: ['district'],
        summary: 'One gate with its last state',
        params: IdParams,
        response: { 200: Gate, ...PROBLEMS },
      },
    },
    async (request) => {
      const read = await district.read()
      return gateOf(visibleStructure(read, signedInOf(request), request.params.id), read, { states, sites })
    },
  )
}
