import type { TrendLine } from './panes.ts'
import { RANGES, type TrendView } from './view.ts'

/** A whole view of the trends page as it stands in the address: `?s=gate:level_up,flow;gate:flow&last=3600000`, or `&from=…&to=…`. */
export type TrendAddress = { readonly lines: readonly TrendLine[]; readonly view: TrendView }

/** More than anybody can tell apart, and few enough for the server. */
export const MOST_LINES = 24

export function toQuery({ lines, view }: TrendAddress): Record<string, string> {
  const byGate = new Map<string, string[]>()
  for (const { gate, metric } of lines) byGate.set(gate, [...(byGate.get(gate) ?? []), metric])
  const s = [...byGate].map(([gate, metrics]) => `${gate}:${metrics.join(',')}`).join(';')
  const time = view.kind === 'live' ? { last: String(view.rangeMs) } : { from: String(view.from), to: String(view.to) }
  return { ...(s === '' ? {} : { s }), ...time }
}

/** What can't be read of an address is left out: an old link still opens what is left of it. */
export function fromQuery(query: Readonly<Record<string, unknown>>): TrendAddress {
  const s = typeof query['s'] === 'string' ? query['s'] : ''
  const lines = s.split(';').flatMap((part): TrendLine[] => {
    const [gate = '', metrics = ''] = part.split(':')
    const named = metrics.split(',').filter((m) => m !== '')
    return gate === '' ? [] : [...new Set(named)].map((metric) => ({ gate, metric }))
  })
  return { lines: lines.slice(0, MOST_LINES), view: viewIn(query) }
}

function viewIn(query: Readonly<Record<string, unknown>>): TrendView {
  const [last, from, to] = [query['last'], query['from'], query['to']].map((v) => (typeof v === 'string' ? Number(v) : Number.NaN))
  if (from !== undefined && to !== undefined && from >= 0 && to > from) return { kind: 'span', from: Math.round(from), to: Math.round(to) }
  return { kind: 'live', rangeMs: last !== undefined && last > 0 && last < 1e12 ? Math.round(last) : RANGES[0].ms }
}
