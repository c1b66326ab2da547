/** What part of time the chart shows, and the way back out of each zoom. */
export type TrendView =
  | { readonly kind: 'live'; readonly rangeMs: number }
  | { readonly kind: 'span'; readonly from: number; readonly to: number }

/** Views from the first to the one shown; never empty. */
export type Trail = readonly [TrendView, ...TrendView[]]

const HOUR_MS = 3_600_000
export const RANGES = [
  { key: 'range1h', ms: HOUR_MS },
  { key: 'range6h', ms: 6 * HOUR_MS },
  { key: 'range24h', ms: 24 * HOUR_MS },
  { key: 'range7d', ms: 7 * 24 * HOUR_MS },
  { key: 'range30d', ms: 30 * 24 * HOUR_MS },
  { key: 'range1y', ms: 365 * 24 * HOUR_MS },
] as const

const LEAST_SPAN_MS = 10_000
/** The server answers for five years. */
const MOST_SPAN_MS = 4 * 365 * 24 * HOUR_MS

export const current = (trail: Trail): TrendView => trail.at(-1) ?? trail[0]

export function windowOf(view: TrendView, now: number): { from: number; to: number } {
  return view.kind === 'live' ? { from: now - view.rangeMs, to: now } : { from: view.from, to: view.to }
}

/** @returns the trail with the span on top; unchanged when the span is too short to have been meant. */
export function zoomTo(trail: Trail, span: { from: number; to: number }): Trail {
  const [from, to] = [Math.round(Math.min(span.from, span.to)), Math.round(Math.max(span.from, span.to))]
  return to - from < LEAST_SPAN_MS ? trail : [...trail, { kind: 'span', from, to }]
}

export function back(trail: Trail): Trail {
  const [first, ...rest] = trail
  return [first, ...rest.slice(0, -1)]
}

/** Moves the window by a part of its width (negative: into the past). At the right end it is live again. */
export function shift(trail: Trail, options: { by: number; now: number }): Trail {
  const { from, to } = windowOf(current(trail), options.now)
  return panBy(trail, { ms: (to - from) * options.by, now: options.now })
}

/** Moves the window by so many ms; as `shift`. */
export function panBy(trail: Trail, options: { ms: number; now: number }): Trail {
  const { from, to } = windowOf(current(trail), options.now)
  const step = Math.round(options.ms)
  const view: TrendView =
    to + step >= options.now ? { kind: 'live', rangeMs: to - from } : { kind: 'span', from: from + step, to: to + step }
  return inPlaceOfLast(trail, view)
}

/** Makes the window wider or narrower around a moment, which stays where it is on the screen. */
export function zoomAt(trail: Trail, options: { t: number; factor: number; now: number }): Trail {
  const { from, to } = windowOf(current(trail), options.now)
  const width = Math.max(LEAST_SPAN_MS, Math.min(MOST_SPAN_MS, (to - from) * options.factor))
  const start = Math.round(options.t - ((options.t - from) / (to - from)) * width)
  const end = start + Math.round(width)
  return inPlaceOfLast(trail, end >= options.now ? { kind: 'live', rangeMs: Math.round(width) } : { kind: 'span', from: start, to: end })
}

function inPlaceOfLast([first, ...rest]: Trail, view: TrendView): Trail {
  return rest.length === 0 ? [view] : [first, ...rest.slice(0, -1), view]
}

/** Halves the window: around its middle, or towards now when it is live. */
export function zoomIn(trail: Trail, now: number): Trail {
  const view = current(trail)
  const { from, to } = windowOf(view, now)
  const quarter = (to - from) / 4
  if (view.kind === 'span') return zoomTo(trail, { from: from + quarter, to: to - quarter })
  return view.rangeMs / 2 < LEAST_SPAN_MS ? trail : [...trail, { kind: 'live', rangeMs: Math.round(view.rangeMs / 2) }]
}

/** How often a live view reads the history anew, in ms: when about a pixel of it has passed, but not too often or too seldom. */
export const rereadMs = (rangeMs: number): number => Math.min(5 * 60_000, Math.max(15_000, Math.round(rangeMs / 240)))
