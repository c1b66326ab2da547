import { ALARM_KIND_NAMES, type Alarm, alarmState, ruleId } from '#contract/alarm.ts'
import { AlarmList, AlarmQuery, type AlarmView, Figures, FiguresQuery, FLOOD, JournalList, JournalQuery } from '#contract/http/alarm.ts'
import type { App } from '../../../app.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { pageOf, type RouteContext } from '../../context.ts'
import { alarmReach, seesAlarm } from './reach.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const CHATTERING = 5

/** /api/v1/alarms: the list, the journal and the figures */
export function alarmRoutes(app: App, { registry, now, district }: RouteContext): void {
  const view = (alarm: Alarm): AlarmView => ({ ...alarm, state: alarmState(alarm, now()) })
  app.get(
    '/alarms',
    {
      schema: {
        tags: ['alarms'],
        summary: 'Alarms that are not normal, of the areas that the person may see, the newest first',
        querystring: AlarmQuery,
        response: { 200: AlarmList, ...PROBLEMS },
      },
    },
    async (request) => {
      const { state, priority, area, site, gate } = request.query
      const reach = alarmReach(signedInOf(request).person.grants)
      const found = (await registry.alarms.present())
        .filter((a) => seesAlarm(reach, a.area))
        .map(view)
        .filter((a) => a.state !== 'normal')
        .filter((a) => (state === undefined || a.state === state) && (priority === undefined || a.priority === priority))
        .filter(
          (a) =>
            (area === undefined || a.area === area) && (site === undefined || a.site === site) && (gate === undefined || a.gate === gate),
        )
      return pageOf(found, request.query)
    },
  )

  app.get(
    '/alarms/journal',
    {
      schema: {
        tags: ['alarms'],
        summary: 'What happened to alarms and what people did with them, the newest first',
        querystring: JournalQuery,
        response: { 200: JournalList, ...PROBLEMS },
      },
    },
    async (request) => {
      const { limit, offset, alarm, gate, site, from, to } = request.query
      const targets = [gate, site].filter((t) => t !== undefined)
      const ofTargets = ALARM_KIND_NAMES.flatMap((kind) => targets.map((target) => ruleId(kind, target)))
      const reach = alarmReach(signedInOf(request).person.grants)
      const filter = {
        ...(alarm === undefined ? {} : { alarms: targets.length === 0 || ofTargets.includes(alarm) ? [alarm] : [] }),
        ...(alarm === undefined && targets.length > 0 ? { alarms: ofTargets } : {}),
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(reach === 'district' ? {} : { areas: [...reach] }),
      }
      return { ...(await registry.alarms.journal(filter, { limit, offset })), limit, offset }
    },
  )

  app.get(
    '/alarms/figures',
    {
      schema: {
        tags: ['alarms'],
        summary: 'How many alarms in each ten minutes of each area, with floods, chattering and standing alarms',
        querystring: FiguresQuery,
        response: { 200: Figures, ...PROBLEMS },
      },
    },
    async (request) => {
      const to = now()
      const from = to - request.query.hours * HOUR_MS
      const reach = alarmReach(signedInOf(request).person.grants)
      const { buckets, frequent } = await registry.alarms.counts({ from, to, chattering: CHATTERING })
      const standing = (await registry.alarms.present()).filter((a) => a.active && a.raised_at !== null && to - a.raised_at >= DAY_MS)
      const { areas } = await district.read()
      const known = new Set(areas.map((a) => a.id))
      return {
        from,
        to,
        ten_minutes: buckets
          .filter((b) => seesAlarm(reach, b.area) && (b.area === null || known.has(b.area)))
          .map((b) => ({ ...b, flood: b.raised > FLOOD })),
        chattering: frequent.filter((f) => seesAlarm(reach, f.area)).map(({ alarm, raised }) => ({ alarm, raised })),
        standing: standing.filter((a) => seesAlarm(reach, a.area)).map((a) => a.id),
      }
    },
  )
}
