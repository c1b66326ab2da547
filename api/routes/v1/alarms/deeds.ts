import { alarmState } from '#contract/alarm.ts'
import { Fault } from '#contract/fault.ts'
import { Acked, AckMany, AlarmParams, AlarmView, Comment, MOST_ACK_BYTES, OutOfService, Shelve } from '#contract/http/alarm.ts'
import { type Action, may } from '#contract/may.ts'
import type { AlarmDeed } from '#registry/alarms.ts'
import type { App } from '../../../app.ts'
import type { SignedIn } from '../../../auth/sessions.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import type { RouteContext } from '../../context.ts'
import { requireAlarm } from './reach.ts'

const MINUTE_MS = 60_000
const response = { 200: AlarmView, ...PROBLEMS }

/** /api/v1/alarms/:id/…: what people do with alarms. Each deed stands in the journal with its author. */
export function alarmDeedRoutes(app: App, { registry, now, alarms }: RouteContext): void {
  async function act(id: string, deed: AlarmDeed, options: { signedIn: SignedIn; action: Action }) {
    const before = await requireAlarm(registry, id, options)
    const at = now()
    const [after] = await registry.alarms.act([id], deed, { who: options.signedIn.person.login, at })
    await registry.audit.append({
      at,
      who: options.signedIn.person.login,
      action: `alarm.${deed.do}`,
      subject: id,
      details: { kind: before.kind, gate: before.gate, ...deed },
    })
    await alarms.refresh()
    const alarm = after ?? before
    return { ...alarm, state: alarmState(alarm, at) }
  }
  const schema = (summary: string) => ({ tags: ['alarms'], summary, params: AlarmParams, response })

  app.post('/alarms/:id/ack', { schema: schema('Acknowledge') }, (request) =>
    act(request.params.id, { do: 'acknowledge' }, { signedIn: signedInOf(request), action: 'operate_alarms' }),
  )
  app.post('/alarms/:id/shelve', { schema: { ...schema('Out of sight for a time, with the reason'), body: Shelve } }, (request) => {
    const { minutes, reason } = request.body
    const deed = { do: 'shelve', until: now() + minutes * MINUTE_MS, reason } as const
    return act(request.params.id, deed, { signedIn: signedInOf(request), action: 'operate_alarms' })
  })
  app.post('/alarms/:id/unshelve', { schema: schema('Back before its time') }, (request) =>
    act(request.params.id, { do: 'unshelve' }, { signedIn: signedInOf(request), action: 'operate_alarms' }),
  )
  app.post('/alarms/:id/comment', { schema: { ...schema('A note in the journal'), body: Comment } }, (request) =>
    act(request.params.id, { do: 'comment', note: request.body.note }, { signedIn: signedInOf(request), action: 'operate_alarms' }),
  )
  app.post(
    '/alarms/:id/out-of-service',
    { schema: { ...schema('Out of service, or back in it (engineers)'), body: OutOfService } },
    (request) => {
      const { out, reason } = request.body
      return act(request.params.id, { do: 'out_of_service', out, reason }, { signedIn: signedInOf(request), action: 'set_alarm_rules' })
    },
  )

  app.post(
    '/alarms/ack',
    {
      bodyLimit: MOST_ACK_BYTES,
      schema: {
        tags: ['alarms'],
        summary: 'Acknowledge many: these ids, or all of an area that are not shelved, suppressed or out of service',
        body: AckMany,
        response: { 200: Acked, ...PROBLEMS },
      },
    },
    async (request) => {
      const { ids, area } = request.body
      const { person } = signedInOf(request)
      if (ids === undefined && area === undefined)
        throw new Fault('BAD_REQUEST', 'neither ids nor an area is given', 'give ids, an area or both')
      const wanted = ids && new Set(ids)
      const at = now()
      const found = (await registry.alarms.present()).filter((a) => {
        const asked = wanted ? wanted.has(a.id) : ['unacknowledged', 'returned'].includes(alarmState(a, at))
        return asked && (area === undefined || a.area === area) && may(person.grants, 'operate_alarms', a.area)
      })
      const changed = await registry.alarms.act(
        found.map((a) => a.id),
        { do: 'acknowledge' },
        { who: person.login, at },
      )
      if (changed.length > 0)
        await registry.audit.append({
          at,
          who: person.login,
          action: 'alarm.acknowledge_many',
          subject: area ?? 'many',
          details: { alarms: changed.map((a) => a.id) },
        })
      await alarms.refresh()
      return { acknowledged: changed.length }
    },
  )
}
