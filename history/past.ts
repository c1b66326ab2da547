import { HOUR_MS } from './cells.ts'
import { PAST_REACH_MS, type PastQuery, type PastSeries } from './port.ts'
import { type Span, wholeSpan } from './span.ts'

/** The spans that a question for the past is put together from. */
export function spansOfPast({ from, to }: Pick<PastQuery, 'from' | 'to'>): Readonly<Record<'asked' | 'hourBefore' | 'longBefore', Span>> {
  return {
    asked: wholeSpan({ from, to }),
    hourBefore: wholeSpan({ from: from - HOUR_MS, to: from }),
    longBefore: wholeSpan({ from: from - PAST_REACH_MS, to: from - HOUR_MS }),
  }
}

/** One sample of a column. A value that could not be taken is null. */
export type PastPoint = { readonly t: number; readonly value: number | null; readonly quality: number }
/** What was known of a metric before the stretch. */
export type Before = { readonly newest: PastPoint | null; readonly good: PastSeries['good']; readonly hourBefore: number }
export const NOTHING_BEFORE: Before = { newest: null, good: null, hourBefore: 0 }

export function pastSeriesOf(
  name: Pick<PastSeries, 'gate' | 'metric'>,
  { before, points }: { before: Before; points: readonly PastPoint[] },
): PastSeries {
  const all = before.newest ? [before.newest, ...points] : points
  return {
    ...{ gate: name.gate, metric: name.metric },
    t: all.map((p) => p.t),
    value: all.map((p) => p.value),
    quality: all.map((p) => p.quality),
    ...{ good: before.good, hourBefore: before.hourBefore },
  }
}
