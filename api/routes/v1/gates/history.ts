import type { Static } from 'typebox'
import { Fault } from '#contract/fault.ts'
import { HistoryQuery, HistoryReply } from '#contract/http.ts'
import { metricOf } from '#contract/metrics.ts'
import { unixMs } from '#contract/units.ts'
import type { RangeColumns, RangeQuery } from '#history/port.ts'
import type { App } from '../../../app.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, type RouteContext } from '../../context.ts'
import { visibleStructure } from './gate-of.ts'

const DAY_MS = 86_400_000
export const MOST_DAYS = 5 * 366
export const MOST_METRICS = 20
// Beyond it there is no date in ECMAScript.
const LAST_MS = 8.64e15

/** /api/v1/gates/:id/history */
export function historyRoutes(app: App, { district, history }: RouteContext): void {
  app.get(
    '/gates/:id/history',
    {
      // The columns are numbers that we have made: checking each against the schema costs more than reading them.
      serializerCompiler: () => JSON.stringify,
      schema: {
        tags: ['data'],
        summary: 'Columns for a chart: samples, or min, max and mean by bucket where there are more than `points`',
        params: IdParams,
        querystring: HistoryQuery,
        response: { 200: HistoryReply, ...PROBLEMS },
      },
    },
    async (request) => {
      const { id: gate } = visibleStructure(await district.read(), signedInOf(request), request.params.id)
      const query = parseQuery(gate, request.query)
      return replyOf(query.metrics, await history.range(query))
    },
  )
}

/** @throws Fault BAD_REQUEST that says what is wrong with the question. */
export function parseQuery(gate: string, asked: Static<typeof HistoryQuery>): RangeQuery {
  const { from, to, points } = asked
  const metrics = [...new Set(asked.metrics.split(',').map((name) => name.trim()))]
  const unknown = metrics.filter((name) => !metricOf(name))
  if (unknown.length > 0) {
    const names = unknown.slice(0, 5).map((name) => JSON.stringify(name.slice(0, 40)))
    throw badRequest(`the metric catalogue does not know ${names.join(', ')}`, 'name metrics like level_up,flow')
  }
  if (metrics.length > MOST_METRICS) throw badRequest(`${metrics.length} metrics are too many`, `ask for at most ${MOST_METRICS} at a time`)
  if (from >= to) throw badRequest('from is not before to', 'swap them')
  if (from < 0 || to > LAST_MS) throw badRequest('from or to is no date', 'give both in ms since 1970 UTC')
  if (to - from > MOST_DAYS * DAY_MS) throw badRequest(`the span is longer than ${MOST_DAYS} days`, 'ask for a shorter one')
  return { gate, metrics, from: unixMs(from), to: unixMs(to), points }
}

/** Every metric that was asked for is there, if only as gaps. */
export function replyOf(metrics: readonly string[], { bucketMs, t, series }: RangeColumns): HistoryReply {
  const gaps = (): null[] => t.map(() => null)
  const columns = metrics.map((name) => [name, series[name] ?? { min: gaps(), max: gaps(), mean: gaps(), bad: t.map(() => 0) }] as const)
  return { bucket_ms: bucketMs, t, ...Object.fromEntries(columns) }
}

const badRequest = (message: string, next: string): Fault => new Fault('BAD_REQUEST', message, next)
