import { VolumeQuery, VolumeReply } from '#contract/http/volume.ts'
import type { App } from '../../../app.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { aggregatesOf, requireFlow, volumePeriodOf } from '../../../volumes.ts'
import { IdParams, type RouteContext } from '../../context.ts'
import { visibleStructure } from './gate-of.ts'

/** /api/v1/gates/:id/volume */
export function volumeRoutes(app: App, { district, history, settings, correctionsOf }: RouteContext): void {
  app.get(
    '/gates/:id/volume',
    {
      schema: {
        tags: ['data'],
        summary:
          'Volumes through a gate by hour, day, ten-day period, month, season or water year, each with how complete and how certain it is',
        params: IdParams,
        querystring: VolumeQuery,
        response: { 200: VolumeReply, ...PROBLEMS },
      },
    },
    async (request) => {
      const { id: gate } = visibleStructure(await district.read(), signedInOf(request), request.params.id)
      const { metric, step } = request.query
      requireFlow(metric)
      const corrections = await correctionsOf([gate], request.query)
      const how = { settings: settings.volumes, corrections }
      const { periods, byGate } = await aggregatesOf(history, request.query, { ...how, gates: [gate] })
      const aggregates = byGate.get(gate) ?? []
      return { gate, metric, step, periods: aggregates.flatMap((a, i) => (periods[i] ? [volumePeriodOf(periods[i], a, how)] : [])) }
    },
  )
}
