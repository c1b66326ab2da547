import { AlarmRule, RuleSetting, rulesOf } from '#contract/alarm.ts'
import { Fault } from '#contract/fault.ts'
import { AlarmParams, RuleList, RuleQuery } from '#contract/http/alarm.ts'
import { may } from '#contract/may.ts'
import type { App } from '../../../app.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { pageOf, type RouteContext } from '../../context.ts'
import { alarmReach, seesAlarm } from './reach.ts'

/** /api/v1/alarm-rules */
export function alarmRuleRoutes(app: App, { registry, district, now }: RouteContext): void {
  async function rules(): Promise<AlarmRule[]> {
    const { structures, sites } = await district.read()
    return rulesOf({ structures: [...structures], sites: [...sites] }, await registry.alarms.settings())
  }
  app.get(
    '/alarm-rules',
    {
      schema: {
        tags: ['alarms'],
        summary: 'The rules of each gate and site; an estimate is a default that no engineer has set',
        querystring: RuleQuery,
        response: { 200: RuleList, ...PROBLEMS },
      },
    },
    async (request) => {
      const { gate, site } = request.query
      const reach = alarmReach(signedInOf(request).person.grants)
      const found = (await rules()).filter(
        (r) => seesAlarm(reach, r.area) && (gate === undefined || r.gate === gate) && (site === undefined || r.site === site),
      )
      return pageOf(found, request.query)
    },
  )
  app.put(
    '/alarm-rules/:id',
    {
      schema: {
        tags: ['alarms'],
        summary: 'Set a rule (engineers and administrators of its area); ingest takes it within its refresh time',
        params: AlarmParams,
        body: RuleSetting,
        response: { 200: AlarmRule, ...PROBLEMS },
      },
    },
    async (request) => {
      const { id } = request.params
      const { person } = signedInOf(request)
      const before = (await rules()).find((r) => r.id === id)
      if (!before || !seesAlarm(alarmReach(person.grants), before.area))
        throw new Fault('NOT_FOUND', `there is no alarm rule ${id}`, 'GET /api/v1/alarm-rules lists them')
      if (!may(person.grants, 'set_alarm_rules', before.area))
        throw new Fault('NOT_ALLOWED', `${person.login} may not set alarm rules of ${before.area ?? 'the center'}`, 'ask an engineer of it')
      const at = now()
      await registry.alarms.setRule(id, request.body, { who: person.login, at, area: before.area })
      await registry.audit.append({
        at,
        who: person.login,
        action: 'alarm_rule.set',
        subject: id,
        details: { before, after: request.body },
      })
      return { ...before, ...request.body, estimate: false }
    },
  )
}
