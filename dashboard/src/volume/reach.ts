import type { Canal, Structure } from '#contract/district.ts'

type Gate = Pick<Structure, 'id' | 'canal' | 'type' | 'chainage_km'>
export type Reach = { readonly in: readonly string[]; readonly out: readonly string[]; readonly offtakes: readonly string[] }

/** A canal as a reach: in by its head gate, out by its tail escapes, on the way by its offtakes and spillways and the head gates of the canals it feeds. */
export function reachOf(canal: string, gates: readonly Gate[], canals: readonly Pick<Canal, 'id' | 'parent'>[]): Reach {
  const own = gates.filter((g) => g.canal === canal)
  const fed = new Set(canals.filter((c) => c.parent === canal).map((c) => c.id))
  const ids = (of: readonly Gate[]): string[] => of.map((g) => g.id)
  const takes = (g: Gate): boolean => g.type === 'head' || g.type === 'offtake'
  const entry = own.filter((g) => g.type === 'head')
  return {
    in: ids(entry.length > 0 ? entry : own.filter((g) => g.type === 'offtake').slice(0, 1)),
    out: ids(own.filter((g) => g.type === 'tail')),
    offtakes: ids([
      ...own.filter((g) => g.type === 'spillway' || (entry.length > 0 && g.type === 'offtake')),
      ...gates.filter((g) => fed.has(g.canal) && takes(g)),
    ]),
  }
}
