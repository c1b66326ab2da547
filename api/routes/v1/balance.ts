import { BalanceQuery, BalanceReply } from '#contract/http/volume.ts'
import type { Aggregate } from '#history/port.ts'
import { type BalanceTerm, balanceOf, sumTerms } from '#hydraulics/balance.ts'
import { cubicMetres } from '#hydraulics/volume-units.ts'
import type { App } from '../../app.ts'
import { signedInOf } from '../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../problem.ts'
import { aggregatesOf, plusMinusOf, requireFlow } from '../../volumes.ts'
import type { RouteContext } from '../context.ts'
import { namedGates } from './gates/gate-of.ts'

/** Half-width of a level's change, m: two readings of a sensor good to a centimetre. */
const LEVEL_CHANGE_PLUS_MINUS_M = 0.014

/** /api/v1/balance */
export function balanceRoutes(app: App, { district, history, settings, correctionsOf }: RouteContext): void {
  app.get(
    '/balance',
    {
      schema: {
        tags: ['data'],
        summary: 'Balance of a reach by period: in − out − offtakes − storage, its loss and the error bar of it',
        querystring: BalanceQuery,
        response: { 200: BalanceReply, ...PROBLEMS },
      },
    },
    async (request): Promise<BalanceReply> => {
      const asked = request.query
      requireFlow(asked.metric)
      const read = await district.read()
      const idsOf = (text: string | undefined): string[] => (text === undefined ? [] : namedGates(read, signedInOf(request), text))
      const sides = { in: idsOf(asked.in), out: idsOf(asked.out), offtakes: idsOf(asked.offtakes) }
      const gates = [...sides.in, ...sides.out, ...sides.offtakes]
      const how = { settings: settings.volumes, gates, corrections: await correctionsOf(gates, asked) }
      const { periods, byGate } = await aggregatesOf(history, asked, how)
      const [levelGate] = idsOf(asked.level_gate)
      const levels = levelGate === undefined ? [] : await levelsOf(levelGate)

      async function levelsOf(gate: string): Promise<readonly Aggregate[]> {
        const level = { ...asked, metric: 'level_up' }
        const corrections = await correctionsOf([gate], level)
        return (await aggregatesOf(history, level, { ...how, gates: [gate], corrections })).byGate.get(gate) ?? []
      }
      const side = (ids: readonly string[], i: number): BalanceTerm =>
        sumTerms(ids.flatMap((gate) => termOf(byGate.get(gate)?.[i], settings.volumes) ?? []))
      return {
        step: asked.step,
        periods: periods.map(({ key, from, to }, i) => {
          const terms = { in: side(sides.in, i), out: side(sides.out, i), offtakes: side(sides.offtakes, i) }
          const storage = asked.surface_m2 === undefined ? null : storageOf(levels, { i, surface_m2: asked.surface_m2 })
          const { loss, plusMinus, lossShare, completeness } = balanceOf({ ...terms, storage })
          return {
            key,
            from,
            to,
            in: partOf(terms.in),
            out: partOf(terms.out),
            offtakes: partOf(terms.offtakes),
            storage: storage && partOf(storage),
            loss_m3: loss,
            loss_plus_minus_m3: plusMinus,
            loss_share: lossShare,
            completeness,
          }
        }),
      }
    },
  )
}

function termOf(aggregate: Aggregate | undefined, settings: Parameters<typeof plusMinusOf>[1]): BalanceTerm | undefined {
  if (!aggregate) return undefined
  const plusMinus = plusMinusOf(aggregate, settings)
  return {
    volume: aggregate.integral === null ? null : cubicMetres(aggregate.integral),
    plusMinus: plusMinus === null ? null : cubicMetres(plusMinus),
    completeness: aggregate.completeness,
  }
}

/** From the newest level of the period before to that of this one; not known for the first. */
function storageOf(levels: readonly Aggregate[], { i, surface_m2 }: { i: number; surface_m2: number }): BalanceTerm {
  const [before, after] = [levels[i - 1]?.last ?? null, levels[i]?.last ?? null]
  const known = before !== null && after !== null
  return {
    volume: known ? cubicMetres((after - before) * surface_m2) : null,
    plusMinus: known ? cubicMetres(LEVEL_CHANGE_PLUS_MINUS_M * surface_m2) : null,
    completeness: known ? 1 : 0,
  }
}

const partOf = ({ volume, plusMinus, completeness }: BalanceTerm) => ({ volume_m3: volume, plus_minus_m3: plusMinus, completeness })
