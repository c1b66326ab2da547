import type { Canal, Structure } from './district.ts'
import { grouped } from './grouped.ts'

/** What follows from how canals and structures lie to one another. Pure: API and dashboard must name the same intakes and reaches. */

type Placed = Pick<Structure, 'id' | 'canal' | 'type' | 'chainage_km' | 'design_flow_m3s'>
type Fed = Pick<Canal, 'id' | 'parent' | 'parent_chainage_km'>

/** The gates by which water enters the district: heads of canals that a river (a canal without a parent) feeds. The largest first. */
export function intakesOf<S extends Placed>(canals: readonly Fed[], structures: readonly S[]): S[] {
  const rivers = new Set(canals.filter((c) => c.parent === null).map((c) => c.id))
  const fed = new Set(canals.filter((c) => c.parent !== null && rivers.has(c.parent)).map((c) => c.id))
  return structures.filter((s) => s.type === 'head' && fed.has(s.canal)).sort((a, b) => b.design_flow_m3s - a.design_flow_m3s)
}

/** A stretch of a canal between two structures across it, and every structure by which water leaves it on the way. */
export type Reach<S> = { readonly canal: string; readonly up: S; readonly down: S; readonly offtakes: readonly S[] }

/** Structures that stand across a canal and so divide it in reaches. */
export const standsAcross = ({ type }: Pick<Structure, 'type'>): boolean => type === 'head' || type === 'regulator' || type === 'tail'

/**
 * The reaches of every canal. A canal that leaves at the lower structure takes its water above it. A spillway on a spill channel of its own and an
 * offtake at the canal itself are offtakes alike; a branch whose head has no structure is not seen, and shows as loss.
 */
export function reachesOf<S extends Placed>(canals: readonly Fed[], structures: readonly S[]): Reach<S>[] {
  const onCanal = grouped(structures, (s) => s.canal)
  const byParent = grouped(canals, (c) => c.parent ?? '')
  return canals.flatMap((canal) => {
    const own = (onCanal.get(canal.id) ?? []).toSorted((a, b) => a.chainage_km - b.chainage_km)
    const across = own.filter(standsAcross)
    const leaving = [
      ...own.filter((s) => !standsAcross(s)).map((s) => ({ s, at: s.chainage_km })),
      ...(byParent.get(canal.id) ?? []).flatMap((branch) => {
        const head = (onCanal.get(branch.id) ?? []).toSorted((a, b) => a.chainage_km - b.chainage_km)[0]
        return head ? [{ s: head, at: branch.parent_chainage_km ?? 0 }] : []
      }),
    ]
    return across.slice(1).flatMap((down, i): Reach<S>[] => {
      const up = across[i]
      if (!up) return []
      const offtakes = leaving.filter(({ at }) => at > up.chainage_km && at <= down.chainage_km).map(({ s }) => s)
      return [{ canal: canal.id, up, down, offtakes }]
    })
  })
}
