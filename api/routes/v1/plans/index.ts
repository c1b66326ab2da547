import { Type } from 'typebox'
import { Fault } from '#contract/fault.ts'
import { type IntakePlan, PlanChange, type PlanProgress, PlanQuery, PlanReport } from '#contract/http/plan.ts'
import { may, reaches, reachOf } from '#contract/may.ts'
import { intakesOf } from '#contract/network.ts'
import { type Period, periodAt, periodsIn } from '#contract/periods.ts'
import { type PlannedPeriod, progressOf } from '#contract/plan.ts'
import type { Aggregate } from '#history/port.ts'
import type { App } from '../../../app.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import { aggregatesOf } from '../../../volumes.ts'
import { IdParams, type RouteContext } from '../../context.ts'
import { visibleStructure } from '../gates/gate-of.ts'

const DAY_MS = 86_400_000

/** /api/v1/plans, /api/v1/gates/:id/plans: ten-day water-use plans of the intakes against their quotas. */
export function planRoutes(app: App, { district, registry, history, settings, correctionsOf, now }: RouteContext): void {
  const tags = ['orders']
  const { calendar } = settings.volumes
  const seasonOf = (t: number): string => periodAt('season', t, calendar).key.slice('2026-'.length)
  /** A ten-day period belongs to the water year, and to the season, in which it begins. */
  const tendaysOf = (year: Period): Period[] => periodsIn('tenday', year, calendar).filter((p) => p.from >= year.from)

  app.get(
    '/plans',
    {
      schema: {
        tags,
        summary: 'Plans, quotas and use of the intakes that a person may see, by ten days of a water year, with the forecast',
        querystring: PlanQuery,
        response: { 200: PlanReport, ...PROBLEMS },
      },
    },
    async (request): Promise<PlanReport> => {
      const { grants } = signedInOf(request).person
      const reach = reachOf(grants, 'read')
      const read = await district.read()
      const intakes = intakesOf(read.canals, read.structures).filter((s) => reaches(reach, s.area))
      const at = now()
      const year = yearOf(request.query.year, at)
      const periods = tendaysOf(year)
      const [from, to] = [periods[0]?.from ?? year.from, Math.min(at, periods.at(-1)?.to ?? year.to)]
      const gates = intakes.map((s) => s.id)
      const [rows, used] = await Promise.all([
        registry.orders.plans({ from: year.from, to: year.to }),
        from < to && gates.length > 0 ? usedIn(gates, from, to) : new Map<string, readonly Aggregate[]>(),
      ])
      const planOf = (structure: string, kind: 'tenday' | 'quota', start: number): number | null =>
        rows.find((r) => r.structure === structure && r.kind === kind && r.from === start)?.volumeM3 ?? null
      const seasonNow = seasonOf(Math.min(at, year.to - 1))
      const seasons = periods.map((p) => seasonOf(p.from))
      return {
        at,
        year,
        season: seasonNow,
        periods: periods.map((p, i) => ({ ...p, season: seasons[i] ?? '' })),
        intakes: intakes.map((s): IntakePlan => {
          const found = used.get(s.id) ?? []
          const planned = periods.map(
            (p, i): PlannedPeriod => ({ ...p, planned: planOf(s.id, 'tenday', p.from), used: found[i]?.integral ?? null }),
          )
          const isOfSeason = (_: unknown, i: number): boolean => seasons[i] === seasonNow
          return {
            structure: s.id,
            area: s.area,
            may_edit: may(grants, 'supervise', s.area),
            quota_m3: planOf(s.id, 'quota', year.from),
            planned_m3: planned.map((p) => p.planned),
            used_m3: planned.map((p) => p.used),
            year: progressIn(planned, found, at),
            season: progressIn(
              planned.filter(isOfSeason),
              periods.flatMap((_, i) => (isOfSeason(_, i) ? (found[i] ?? []) : [])),
              at,
            ),
          }
        }),
      }
    },
  )

  app.put(
    '/gates/:id/plans',
    {
      schema: {
        tags,
        summary: 'Set ten-day plans and the quota of an intake (supervisors)',
        params: IdParams,
        body: PlanChange,
        response: { 204: Type.Null({ description: 'Kept' }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const signedIn = signedInOf(request)
      const { login, grants } = signedIn.person
      const read = await district.read()
      const structure = visibleStructure(read, signedIn, request.params.id)
      if (!may(grants, 'supervise', structure.area))
        throw new Fault('NOT_ALLOWED', `${login} may not set plans of area ${structure.area}`, 'ask a supervisor of this area')
      if (!intakesOf(read.canals, read.structures).some((s) => s.id === structure.id))
        throw new Fault('BAD_REQUEST', `${structure.id} is no intake from the river`, 'GET /api/v1/plans lists them')
      const { items } = request.body
      const wrong = items.find(({ kind, from }) => periodAt(kind === 'quota' ? 'year' : 'tenday', from, calendar).from !== from)
      if (wrong) throw new Fault('BAD_REQUEST', `no ${wrong.kind} begins at ${wrong.from}`, 'take `from` of GET /api/v1/plans')
      const at = now()
      const span = { from: Math.min(...items.map((i) => i.from)), to: Math.max(...items.map((i) => i.from)) + 1 }
      const known = (await registry.orders.plans(span)).filter((r) => r.structure === structure.id)
      const keyOf = ({ kind, from }: { kind: 'tenday' | 'quota'; from: number }): string =>
        kind === 'quota' ? `quota ${periodAt('year', from, calendar).key}` : periodAt('tenday', from, calendar).key
      await registry.orders.putPlans(
        items.map(({ kind, from, volume_m3 }) => ({ structure: structure.id, kind, from, volumeM3: Math.round(volume_m3), by: login, at })),
        {
          at,
          who: login,
          action: 'plan.set',
          subject: structure.id,
          details: {
            before: Object.fromEntries(known.filter((r) => items.some((i) => keyOf(i) === keyOf(r))).map((r) => [keyOf(r), r.volumeM3])),
            after: Object.fromEntries(items.map((i) => [keyOf(i), Math.round(i.volume_m3)])),
          },
        },
      )
      return reply.code(204).send(null)
    },
  )

  async function usedIn(gates: readonly string[], from: number, to: number): Promise<ReadonlyMap<string, readonly Aggregate[]>> {
    const asked = { from, to, step: 'tenday', metric: 'flow' } as const
    const corrections = await correctionsOf(gates, asked)
    return (await aggregatesOf(history, asked, { settings: settings.volumes, gates, corrections })).byGate
  }

  function yearOf(named: string | undefined, at: number): Period {
    if (named === undefined) return periodAt('year', at, calendar)
    // Some day after its start: which one does not matter.
    return periodAt('year', Date.parse(`${named}-${calendar.year_start}T00:00:00Z`) + 30 * DAY_MS, calendar)
  }
}

function progressIn(periods: readonly PlannedPeriod[], found: readonly Aggregate[], at: number): PlanProgress {
  const { used, planned, plannedToNow, byPlan, byPace } = progressOf(periods, at)
  return {
    used_m3: used,
    completeness: completenessOf(found),
    planned_m3: planned,
    planned_to_now_m3: plannedToNow,
    by_plan_m3: byPlan,
    by_pace_m3: byPace,
  }
}

/** Share of the time so far that is known: what is missing of one ten days must not hide what is known of the others. */
function completenessOf(found: readonly Aggregate[]): number {
  const known = found.reduce((ms, a) => ms + a.covered + a.estimated, 0)
  const all = found.reduce((ms, a) => ms + a.covered + a.estimated + a.missing, 0)
  return all === 0 ? 0 : known / all
}
