import type { Canal, Structure } from '#contract/district.ts'

/** Where a structure stands: its trunk canal, then the chainage of each turn-off on the way to it, then its own. */
export type Place = { readonly trunk: string; readonly turns: readonly number[] }

export function placeOf(structure: Pick<Structure, 'canal' | 'chainage_km'>, canals: ReadonlyMap<string, Canal>): Place {
  const turns = [structure.chainage_km]
  let trunk = structure.canal
  const passed = new Set<string>()
  for (let canal = canals.get(trunk); canal?.parent && !passed.has(canal.id); canal = canals.get(trunk)) {
    passed.add(canal.id)
    turns.unshift(canal.parent_chainage_km ?? 0)
    trunk = canal.parent
  }
  return { trunk, turns }
}

/** Downstream along the trunk, and into each branch where it turns off: the way the water goes. */
export function comparePlaces(a: Place, b: Place): number {
  if (a.trunk !== b.trunk) return a.trunk < b.trunk ? -1 : 1
  for (let i = 0; i < Math.min(a.turns.length, b.turns.length); i++) {
    const difference = (a.turns[i] ?? 0) - (b.turns[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.turns.length - b.turns.length
}
