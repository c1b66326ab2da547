import { isSiteLost, withSuppression } from '#contract/alarm-past.ts'
import { staleAfterMs } from '#contract/district.ts'
import { Fault } from '#contract/fault.ts'
import { MOST_PAST_STEPS, Past, PastMarks, PastMarksQuery, PastQuery } from '#contract/http/past.ts'
import { reaches, reachOf } from '#contract/may.ts'
import { unixMs } from '#contract/units.ts'
import type { App } from '../../../app.ts'
import { commandView, lockoutView } from '../../../control/view.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import type { RouteContext } from '../../context.ts'
import { seesAlarm } from '../alarms/reach.ts'
import { gatesOf } from './columns.ts'

const MOST_EVENTS = 5000
const MOST_SPAN_MS = 31 * 86_400_000
const tags = ['past']

/** /api/v1/past: the district as it was, for a replay */
export function pastRoutes(app: App, { registry, history, district, sites, now }: RouteContext): void {
  app.get(
    '/past',
    {
      // The columns are numbers that we have made: checking each against the schema costs more than reading them.
      serializerCompiler: () => JSON.stringify,
      schema: {
        tags,
        summary: 'What was known of gates, alarms, commands, orders and tags at a past time, and how it went on until another',
        querystring: PastQuery,
        response: { 200: Past, ...PROBLEMS },
      },
    },
    async (request): Promise<Past> => {
      const { step_ms } = request.query
      const asked = stretchOf(request.query, { now: now(), stepMs: step_ms })
      const reach = reachOf(signedInOf(request).person.grants, 'read')
      const { structures, structureById, siteById } = await district.read()
      const told = await registry.past.alarms(asked, MOST_EVENTS)
      const stretch = { from: asked.from, to: Math.max(asked.from, told.to) }
      const gates = structures.filter((s) => reaches(reach, s.area)).map((s) => s.id)
      const [found, commands, orders, lockouts] = await Promise.all([
        history.past({ gates, from: unixMs(stretch.from), to: unixMs(stretch.to), stepMs: step_ms }),
        registry.past.commands(stretch),
        registry.past.orders(stretch),
        registry.past.tags(stretch),
      ])
      const byId = new Map(told.at.map((a) => [a.id, a]))
      const alarms = withSuppression(byId).filter((a) => seesAlarm(reach, a.area))
      const staleNow = (gate: string): number => {
        const site = siteById.get(structureById.get(gate)?.site ?? '')
        return site ? staleAfterMs(site.report_interval_ms, sites.get(site.id)?.health.silence_ms) : 0
      }
      return {
        ...stretch,
        step_ms,
        gates: gatesOf(found, staleNow),
        alarms,
        events: told.events.filter((e) => seesAlarm(reach, e.area)),
        out_of_contact: alarms.flatMap(({ kind, site, raised_at }) =>
          kind === 'site_lost' && site !== null && isSiteLost(byId, site) ? [{ site, since: raised_at ?? stretch.from }] : [],
        ),
        commands: commands.filter((c) => reaches(reach, c.area)).map(commandView),
        orders: orders
          .filter((o) => reaches(reach, o.area))
          .map(({ id, year, number, area, structure, target, reason, effectiveAt, steps }) => ({
            ...{ id, year, number, area, structure, target, reason, effective_at: effectiveAt },
            steps: steps.map(({ state, at }) => ({ state, at })),
          })),
        tags: lockouts
          .filter((l) => reaches(reach, structureById.get(l.structure)?.area ?? ''))
          .map((l) => ({ ...lockoutView(l), lifted_at: l.liftedAt })),
      }
    },
  )

  app.get(
    '/past/marks',
    {
      schema: {
        tags,
        summary: 'When alarms were raised, on a time axis cut into steps',
        querystring: PastMarksQuery,
        response: { 200: PastMarks, ...PROBLEMS },
      },
    },
    async (request) => {
      const { from, to, steps } = request.query
      requireOrder({ from, to })
      const reach = reachOf(signedInOf(request).person.grants, 'read')
      if (reach !== 'district' && reach.size === 0) return { items: [] }
      const stepMs = Math.max(1, Math.ceil((to - from) / steps))
      return { items: await registry.past.marks({ from, to, stepMs, ...(reach === 'district' ? {} : { areas: [...reach] }) }) }
    },
  )
}

/** @throws Fault BAD_REQUEST */
function stretchOf(asked: { from: number; to: number }, { now, stepMs }: { now: number; stepMs: number }): { from: number; to: number } {
  requireOrder(asked)
  const from = asked.from - (asked.from % stepMs)
  if (asked.to > now) throw badRequest('the stretch does not end in the past', 'GET /api/v1/gates tells the present')
  const steps = (asked.to - from) / stepMs
  if (steps > MOST_PAST_STEPS) throw badRequest(`it is cut into ${Math.ceil(steps)} steps`, `ask for at most ${MOST_PAST_STEPS}`)
  return { from, to: asked.to }
}

function requireOrder({ from, to }: { from: number; to: number }): void {
  if (from > to) throw badRequest('from is after to', 'swap them')
  if (to - from > MOST_SPAN_MS) throw badRequest('the span is longer than 31 days', 'ask for a shorter one')
}

const badRequest = (message: string, next: string): Fault => new Fault('BAD_REQUEST', message, next)
