import { Fault } from '#contract/fault.ts'
import { type ReachBalance, Situation, SituationQuery } from '#contract/http/situation.ts'
import { reaches, reachOf } from '#contract/may.ts'
import { unixMs } from '#contract/units.ts'
import type { Aggregate } from '#history/port.ts'
import { type BalanceTerm, balanceOf, sumTerms } from '#hydraulics/balance.ts'
import { cubicMetres } from '#hydraulics/volume-units.ts'
import type { App } from '../../app.ts'
import { signedInOf } from '../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../problem.ts'
import { BALANCE_MS, type Reckoned, SituationView } from '../../situation/situation-view.ts'
import { plusMinusOf } from '../../volumes.ts'
import type { RouteContext } from '../context.ts'

/** Fields that no gate measures take most of what some reaches lose. What departs from the usual by more than this share is worth a look. */
const UNUSUAL_SHARE = 0.1
/** Below it a balance means little. */
const ENOUGH = 0.9
const MOST_CHANGES = 40

/** /api/v1/situation */
export function situationRoutes(app: App, context: RouteContext): void {
  const { settings } = context
  const view = new SituationView({ ...context, settings: settings.volumes })
  const termOf = (aggregate: Aggregate | undefined): BalanceTerm => {
    if (!aggregate) return { volume: null, plusMinus: null, completeness: 0 }
    const plusMinus = plusMinusOf(aggregate, settings.volumes)
    return {
      volume: aggregate.integral === null ? null : cubicMetres(aggregate.integral),
      plusMinus: plusMinus === null ? null : cubicMetres(plusMinus),
      completeness: aggregate.completeness,
    }
  }
  const sumOf = (gates: readonly string[], of: ReadonlyMap<string, Aggregate>) => {
    // What one intake does not tell must not hide what the others do: the sum is of what is known, and its completeness says so.
    const terms = gates.map((gate) => termOf(of.get(gate)))
    const known = sumTerms(terms.filter((t) => t.volume !== null))
    const isKnown = terms.some((t) => t.volume !== null)
    return {
      volume_m3: isKnown ? known.volume : null,
      plus_minus_m3: isKnown ? known.plusMinus : null,
      completeness: terms.length === 0 ? 0 : Math.min(...terms.map((t) => t.completeness)),
    }
  }
  function balanceIn(found: Reckoned, { canal, up, down, offtakes }: Reckoned['reaches'][number]): ReachBalance {
    const balanceBy = (of: ReadonlyMap<string, Aggregate>) => {
      const term = (gate: { id: string }): BalanceTerm => termOf(of.get(gate.id))
      const inflow = term(up)
      return { inflow, ...balanceOf({ in: inflow, out: term(down), offtakes: sumTerms(offtakes.map(term)), storage: null }) }
    }
    const { inflow, loss, plusMinus, lossShare, completeness } = balanceBy(found.ofReaches)
    const before = balanceBy(found.usual)
    const usual = before.completeness >= ENOUGH ? before.lossShare : null
    const departs = lossShare === null ? 0 : Math.abs(lossShare - (usual ?? 0))
    const beyond = plusMinus === null || inflow.volume === null ? 0 : departs * inflow.volume - plusMinus
    return {
      ...{ canal, up: up.id, down: down.id, offtakes: offtakes.map((s) => s.id), in_m3: inflow.volume },
      ...{ loss_m3: loss, plus_minus_m3: plusMinus, loss_share: lossShare, usual_share: usual, completeness },
      out_of_balance: completeness >= ENOUGH && departs > UNUSUAL_SHARE && beyond > 0,
    }
  }

  app.get(
    '/situation',
    {
      schema: {
        tags: ['data'],
        summary: 'Totals of the district: diverted today and this season, reaches out of balance, what changed in the last hour',
        querystring: SituationQuery,
        response: { 200: Situation, ...PROBLEMS },
      },
    },
    async (request): Promise<Situation> => {
      const reach = reachOf(signedInOf(request).person.grants, 'read')
      const asked = request.query.at
      if (asked !== undefined && asked > context.now())
        throw new Fault('BAD_REQUEST', 'at is not in the past', 'leave it out for the present')
      const [found, { structureById }] = await Promise.all([
        asked === undefined ? view.read() : view.readAt(unixMs(asked)),
        context.district.read(),
      ])
      const sees = (gate: string): boolean => reaches(reach, structureById.get(gate)?.area ?? '')
      const intakes = found.intakes.map((s) => s.id).filter(sees)
      const { at, day, season, plans } = found
      const planned = intakes.flatMap((gate) => plans.get(gate) ?? [])
      return {
        at,
        intakes,
        today: { from: day.from, to: day.to, ...sumOf(intakes, found.today) },
        season: {
          name: season.key.slice('2026-'.length),
          from: season.from,
          to: season.to,
          ...sumOf(intakes, found.ofSeason),
          plan_m3: planned.length === 0 ? null : planned.reduce((a, b) => a + b, 0),
        },
        balance_from: unixMs(at - BALANCE_MS),
        balance_to: at,
        reaches: found.reaches.filter((r) => [r.up, r.down, ...r.offtakes].every((s) => sees(s.id))).map((r) => balanceIn(found, r)),
        changes: found.changes
          .filter((c) => sees(c.gate))
          .slice(0, MOST_CHANGES)
          .map(({ gate, metric, before, after }) => ({ gate, metric, before, after })),
      }
    },
  )
}
