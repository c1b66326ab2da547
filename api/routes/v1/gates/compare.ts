import { Fault } from '#contract/fault.ts'
import { CompareQuery, CompareReply } from '#contract/http/volume.ts'
import { reaches, reachOf } from '#contract/may.ts'
import { metricOf } from '#contract/metrics.ts'
import type { Aggregate } from '#history/port.ts'
import type { App } from '../../../app.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { aggregatesOf, plusMinusOf } from '../../../volumes.ts'
import type { RouteContext } from '../../context.ts'
import { namedGates } from './gate-of.ts'

/** /api/v1/gates/compare */
export function compareRoutes(app: App, { district, history, settings, correctionsOf }: RouteContext): void {
  app.get(
    '/gates/compare',
    {
      // Numbers that we have made, and up to 400 000 of them: checking each against the schema costs more than reading them.
      serializerCompiler: () => JSON.stringify,
      schema: {
        tags: ['data'],
        summary: 'Several gates by period in columns: mean, min, max, and of a flow the volume',
        querystring: CompareQuery,
        response: { 200: CompareReply, ...PROBLEMS },
      },
    },
    async (request): Promise<CompareReply> => {
      const read = await district.read()
      const signedIn = signedInOf(request)
      const { metric, step, gates: named } = request.query
      const known = metricOf(metric)
      if (!known) throw new Fault('BAD_REQUEST', 'the metric catalogue does not know that metric', 'name one like flow or level_up')
      const reach = reachOf(signedIn.person.grants, 'read')
      const gates =
        named === undefined ? read.structures.filter((s) => reaches(reach, s.area)).map((s) => s.id) : namedGates(read, signedIn, named)
      const corrections = await correctionsOf(gates, request.query)
      const { periods, byGate } = await aggregatesOf(history, request.query, { settings: settings.volumes, gates, corrections })
      const isFlow = known.unit === 'm³/s'
      const columns = (all: readonly Aggregate[]): CompareReply['gates'][string] => ({
        mean: all.map((a) => a.mean),
        min: all.map((a) => a.min),
        max: all.map((a) => a.max),
        last: all.map((a) => a.last),
        ...(isFlow && { volume_m3: all.map((a) => a.integral), plus_minus_m3: all.map((a) => plusMinusOf(a, settings.volumes)) }),
        completeness: all.map((a) => a.completeness),
        estimated_share: all.map((a) => a.estimatedShare),
        bad_share: all.map((a) => a.badShare),
      })
      return {
        metric,
        step,
        key: periods.map((p) => p.key),
        from: periods.map((p) => p.from),
        to: periods.map((p) => p.to),
        gates: Object.fromEntries([...byGate].map(([gate, all]) => [gate, columns(all)])),
      }
    },
  )
}
