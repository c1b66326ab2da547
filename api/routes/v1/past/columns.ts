import type { PastGate, PastSeries } from '#contract/http/past.ts'
import { metricOf } from '#contract/metrics.ts'
import type { PastSeries as Found } from '#history/port.ts'

const HOUR_MS = 3_600_000
/** As a site is stale: after three of its intervals. */
const INTERVALS = 3
/** Polled each minute or oftener: then the site's own interval tells what is old. */
const DENSE_AN_HOUR = 60
const FOREIGN_DIGITS = 4

/** The columns of each gate. @param staleAfterMs of a gate as it reports now */
export function gatesOf(found: readonly Found[], staleAfterMs: (gate: string) => number): Record<string, PastGate> {
  const byGate = new Map<string, Found[]>()
  for (const series of found) {
    const own = byGate.get(series.gate) ?? []
    own.push(series)
    byGate.set(series.gate, own)
  }
  return Object.fromEntries(
    [...byGate].map(([gate, all]) => [
      gate,
      { stale_after_ms: staleThen(all, staleAfterMs(gate)), metrics: Object.fromEntries(all.map((s) => [s.metric, columnsOf(s)])) },
    ]),
  )
}

/** History from before a site was connected comes every few minutes: judged by today's interval all of it would be stale. */
function staleThen(series: readonly Pick<Found, 'hourBefore'>[], now: number): number {
  const counts = series.map((s) => s.hourBefore).filter((n) => n > 0)
  if (counts.length === 0 || Math.max(...counts) >= DENSE_AN_HOUR) return now
  // A leaf that stands is told seldom, and is no older for it than the level that is told each few minutes.
  return Math.max(now, Math.ceil((INTERVALS * HOUR_MS) / Math.min(...counts)))
}

function columnsOf({ metric, t, value, quality, good }: Found): PastSeries {
  const scale = 10 ** ((metricOf(metric)?.decimals ?? FOREIGN_DIGITS) + 1)
  const round = (v: number): number => Math.round(v * scale) / scale
  const isTold = quality[0] === 0
  return {
    t,
    v: value.map((v) => (v === null ? null : round(v))),
    ...(quality.some((q) => q !== 0) ? { q: quality } : {}),
    ...(good && !isTold ? { good: { t: good.t, v: round(good.value) } } : {}),
  }
}
