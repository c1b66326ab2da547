/** How fast the past is played, and how much of it is read at a time. */
export const SPEEDS = [1, 10, 60, 300, 600] as const
export type Speed = (typeof SPEEDS)[number]

const SECOND_MS = 1000
const STEPS_MS = [1, 5, 10, 30, 60, 120, 300].map((s) => s * SECOND_MS)
/** A frame stands so long on the screen at least: faster is a flicker, not a picture. */
const FRAME_MS = 500
/** So much playing one answer of the server holds. */
const READ_AHEAD_MS = 20_000
const LEAST_MS = 60 * SECOND_MS

export const stepMsOf = (speed: Speed): number => STEPS_MS.findLast((ms) => ms <= speed * FRAME_MS) ?? SECOND_MS

export type StretchAsk = { readonly from: number; readonly to: number; readonly step_ms: number }

/** What to read to play from `t` on, no further than `now`. */
export function stretchFrom(t: number, { speed, now }: { speed: Speed; now: number }): StretchAsk {
  const step = stepMsOf(speed)
  const from = Math.floor(t / step) * step
  return { from, to: Math.min(from + Math.max(LEAST_MS, speed * READ_AHEAD_MS), Math.max(from, now)), step_ms: step }
}

/** What to read to stand at `t`: as exact as it is kept. */
export const momentAt = (t: number): StretchAsk => ({ from: Math.floor(t) + 1, to: Math.floor(t) + 1, step_ms: 1 })

/** The moment that is shown while time runs: whole steps, so that the newest of a step is as new as it can be. */
export const shownAt = (t: number, stepMs: number): number => Math.floor(t / stepMs) * stepMs

export type Mark = { readonly at: number }
/** The next alarm after `t`, or the last one before it. */
export function markBeside<M extends Mark>(marks: readonly M[], t: number, side: 'next' | 'previous'): M | undefined {
  return side === 'next' ? marks.find((m) => m.at > t) : marks.findLast((m) => m.at < t)
}

/** A moment of an address, or null where there is none. */
export function momentIn(text: unknown, now: number): number | null {
  const t = typeof text === 'string' && /^\d{12,14}$/.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(t) && t < now ? t : null
}
