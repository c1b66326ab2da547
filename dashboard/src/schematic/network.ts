import type { Canal, Structure } from '#contract/district.ts'
import { grouped } from '#contract/grouped.ts'

/** What the drawings need of a structure. */
export type Structured = Pick<
  Structure,
  | 'id'
  | 'name'
  | 'canal'
  | 'chainage_km'
  | 'type'
  | 'leaves'
  | 'sill_m'
  | 'datum_m'
  | 'design_level_up_m'
  | 'design_level_down_m'
  | 'design_flow_m3s'
>

/** A canal with what stands on it and what leaves it, both in the way of the water. */
export type Branch<S extends Structured = Structured> = {
  readonly canal: Canal
  readonly structures: readonly S[]
  readonly branches: readonly Branch<S>[]
}

/** The district's canals as trees, the one with the most structures first. A canal whose parent is not there, or leads back to itself, is a root. */
export function networkOf<S extends Structured>(canals: Iterable<Canal>, structures: readonly S[]): Branch<S>[] {
  const all = [...canals]
  const known = new Map(all.map((c) => [c.id, c]))
  const on = grouped(structures, (s) => s.canal)
  const isRoot = (canal: Canal): boolean => canal.parent === null || !known.has(canal.parent) || isCircular(canal, known)
  const children = grouped(
    all.filter((c) => !isRoot(c)),
    (c) => c.parent,
  )
  const branchOf = (canal: Canal): Branch<S> => ({
    canal,
    structures: (on.get(canal.id) ?? []).toSorted((a, b) => a.chainage_km - b.chainage_km || (a.id < b.id ? -1 : 1)),
    branches: (children.get(canal.id) ?? [])
      .toSorted((a, b) => (a.parent_chainage_km ?? 0) - (b.parent_chainage_km ?? 0) || (a.id < b.id ? -1 : 1))
      .map(branchOf),
  })
  return all
    .filter(isRoot)
    .map(branchOf)
    .sort((a, b) => countOf(b) - countOf(a))
}

function isCircular(canal: Canal, known: ReadonlyMap<string, Canal>): boolean {
  const passed = new Set<string>()
  for (let at: Canal | undefined = canal; at; at = at.parent === null ? undefined : known.get(at.parent)) {
    if (passed.has(at.id)) return at.id === canal.id
    passed.add(at.id)
  }
  return false
}

/** Structures on a canal and on all that it feeds. */
export const countOf = (branch: Branch): number => branch.structures.length + branch.branches.reduce((n, b) => n + countOf(b), 0)

/** A canal and all that it feeds, in one list. */
export const flattened = <S extends Structured>(branch: Branch<S>): Branch<S>[] => [branch, ...branch.branches.flatMap((b) => flattened(b))]
