import type { Figures } from '#contract/http/alarm.ts'

const TEN_MINUTES_MS = 600_000
export type Bar = { readonly from: number; readonly raised: number; readonly flood: boolean }
/** One operator's share over the whole span: a bar for each ten minutes, those without alarms too. */
export type ShareRow = {
  readonly area: string | null
  readonly bars: readonly Bar[]
  readonly total: number
  readonly floods: number
  readonly most: number
}

/** The areas with the most floods first, then with the most alarms. */
export function sharesOf({ from, to, ten_minutes }: Pick<Figures, 'from' | 'to' | 'ten_minutes'>): ShareRow[] {
  const first = Math.floor(from / TEN_MINUTES_MS) * TEN_MINUTES_MS
  const areas = new Map<string | null, Map<number, Bar>>()
  for (const { area, ...bar } of ten_minutes) {
    const bars = areas.get(area) ?? new Map<number, Bar>()
    areas.set(area, bars)
    bars.set(bar.from, bar)
  }
  return [...areas]
    .map(([area, known]): ShareRow => {
      const bars: Bar[] = []
      for (let t = first; t < to; t += TEN_MINUTES_MS) bars.push(known.get(t) ?? { from: t, raised: 0, flood: false })
      const raised = bars.map((b) => b.raised)
      return {
        area,
        bars,
        total: raised.reduce((sum, n) => sum + n, 0),
        floods: bars.filter((b) => b.flood).length,
        most: Math.max(0, ...raised),
      }
    })
    .toSorted((a, b) => b.floods - a.floods || b.total - a.total)
}
