import type { BothNames } from '../i18n/i18n.ts'
import { type Condition, type Counts, countConditions, severityOf } from './condition.ts'

/** What the order of the list depends on. */
export type Listed = {
  readonly id: string
  readonly name: BothNames
  readonly area: string
  /** More words that the filter finds: canal, site. */
  readonly words: string
  /** Place along the canals: the order of the registry. */
  readonly place: number
  readonly condition: Condition
  /** Flow over design flow, null when it is not known. */
  readonly share: number | null
  /** Source time of the newest value. */
  readonly newest: number | null
}

export const SORTS = ['place', 'trouble', 'flow', 'age'] as const
export type Sort = (typeof SORTS)[number]
export type Ask = {
  readonly text: string
  readonly condition: Condition | null
  readonly sort: Sort
  /** Areas that are closed to their head. */
  readonly collapsed: ReadonlySet<string>
}

export type Line<T extends Listed> =
  | { readonly kind: 'area'; readonly id: string; readonly total: number; readonly counts: Counts; readonly open: boolean }
  | { readonly kind: 'gate'; readonly gate: T }

/** Every word must be found in the name (either language), the id, the canal or the site. */
export function matches(gate: Listed, text: string): boolean {
  const haystack = `${gate.id} ${gate.name.zh} ${gate.name.en} ${gate.words}`.toLowerCase()
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word))
}

const byPlace = (a: Listed, b: Listed): number => a.place - b.place
const unknownLast = (a: number | null, b: number | null, compare: (a: number, b: number) => number): number =>
  a === null || b === null ? Number(a === null) - Number(b === null) : compare(a, b)

/** Each order ends with the place, so that equals never swap while one watches. */
const ORDERS: Record<Sort, (a: Listed, b: Listed) => number> = {
  place: byPlace,
  trouble: (a, b) => severityOf(a.condition) - severityOf(b.condition) || byPlace(a, b),
  flow: (a, b) => unknownLast(a.share, b.share, (x, y) => y - x) || byPlace(a, b),
  age: (a, b) => (a.newest ?? 0) - (b.newest ?? 0) || byPlace(a, b),
}

/** The lines of the overview. By place: area by area under its head with its counts; else one list over the whole district. */
export function arrange<T extends Listed>(gates: readonly T[], areas: readonly string[], ask: Ask): Line<T>[] {
  const found = gates.filter((g) => matches(g, ask.text))
  const wanted = found.filter((g) => ask.condition === null || g.condition === ask.condition).sort(ORDERS[ask.sort])
  if (ask.sort !== 'place') return wanted.map((gate) => ({ kind: 'gate', gate }))
  return areas.flatMap((area): Line<T>[] => {
    const shown = wanted.filter((g) => g.area === area)
    if (shown.length === 0) return []
    const all = found.filter((g) => g.area === area)
    const open = !ask.collapsed.has(area)
    const head: Line<T> = { kind: 'area', id: area, total: all.length, counts: countConditions(all.map((g) => g.condition)), open }
    return [head, ...(open ? shown.map((gate): Line<T> => ({ kind: 'gate', gate })) : [])]
  })
}
