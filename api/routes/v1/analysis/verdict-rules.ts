import { Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import { VerdictRuleList } from '#contract/http/analysis.ts'
import { metricOf } from '#contract/metrics.ts'
import { VerdictRule } from '#contract/verdict-rule.ts'
import type { App } from '../../../app.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { IdParams, type RouteContext } from '../../context.ts'
import { visibleStructure } from '../gates/gate-of.ts'
import { requireAction } from './require.ts'

/** /api/v1/gates/:id/verdict-rules */
export function verdictRuleRoutes(app: App, { district, registry, now }: RouteContext): void {
  app.get(
    '/gates/:id/verdict-rules',
    {
      schema: {
        tags: ['analysis'],
        summary: 'The rules that have been set for a gate’s samples; a metric without one is judged by the defaults of docs/data.md',
        params: IdParams,
        response: { 200: VerdictRuleList, ...PROBLEMS },
      },
    },
    async (request) => {
      const { id } = visibleStructure(await district.read(), signedInOf(request), request.params.id)
      const mine = (await registry.verdictRules.all()).filter((r) => r.gate === id)
      return { rules: mine.map(({ metric, rule, by }) => ({ metric, rule, set_by: by })) }
    },
  )

  app.put(
    '/gates/:id/verdict-rules/:metric',
    {
      schema: {
        tags: ['analysis'],
        summary: 'Set how the samples of one metric are judged from now on (analysts)',
        params: Type.Object({ ...IdParams.properties, metric: Type.String({ maxLength: 64 }) }),
        body: VerdictRule,
        response: { 200: VerdictRule, ...PROBLEMS },
      },
    },
    async (request) => {
      const signedIn = signedInOf(request)
      const structure = visibleStructure(await district.read(), signedIn, request.params.id)
      requireAction(signedIn, 'analyse', structure.area)
      const { metric } = request.params
      if (!metricOf(metric))
        throw new Fault('BAD_REQUEST', `the metric catalogue does not know ${metric}`, 'name one like flow or level_up')
      const [rule, by, at] = [request.body, signedIn.person.login, now()]
      await registry.verdictRules.set({ gate: structure.id, metric, rule }, { by, at })
      await registry.audit.append({ at, who: by, action: 'verdict_rule.set', subject: structure.id, details: { metric, rule } })
      return rule
    },
  )
}
