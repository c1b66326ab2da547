import { combine } from './uncertainty.ts'
import { type CubicMetres, cubicMetres } from './volume-units.ts'

/** A volume with the half-width of its interval, and the share of its time, 0 to 1, of which it is the sum. Null where nothing is known. */
export type BalanceTerm = { readonly volume: CubicMetres | null; readonly plusMinus: CubicMetres | null; readonly completeness: number }

export type Balance = {
  /** in − out − offtakes − storage; null where a term is not known. Seepage, evaporation, unmetered offtakes, and every error of the rest. */
  readonly loss: CubicMetres | null
  readonly plusMinus: CubicMetres | null
  /** Of what came in; null where nothing did. */
  readonly lossShare: number | null
  /** Of the least complete term: below 0.9 a loss means little. */
  readonly completeness: number
}

/** Several structures as one term. @returns 0 m³ for none: a reach without offtakes loses nothing to them. */
export function sumTerms(terms: readonly BalanceTerm[]): BalanceTerm {
  const known = terms.every((t) => t.volume !== null)
  return {
    volume: known ? cubicMetres(terms.reduce((sum, t) => sum + (t.volume ?? 0), 0)) : null,
    plusMinus: terms.every((t) => t.plusMinus !== null) ? cubicMetres(combine(...terms.map((t) => t.plusMinus ?? 0))) : null,
    completeness: Math.min(1, ...terms.map((t) => t.completeness)),
  }
}

/** What a reach lost in a period. The terms are taken as independent of one another. */
export function balanceOf(terms: { in: BalanceTerm; out: BalanceTerm; offtakes: BalanceTerm; storage: BalanceTerm | null }): Balance {
  const all = [terms.in, terms.out, terms.offtakes, ...(terms.storage ? [terms.storage] : [])]
  const { plusMinus, completeness } = sumTerms(all)
  const [inflow, ...rest] = all.map((t) => t.volume)
  if (inflow === null || inflow === undefined || rest.some((v) => v === null))
    return { loss: null, plusMinus: null, lossShare: null, completeness }
  const loss = cubicMetres(inflow - rest.reduce<number>((sum, v) => sum + (v ?? 0), 0))
  return { loss, plusMinus, lossShare: inflow > 0 ? loss / inflow : null, completeness }
}
