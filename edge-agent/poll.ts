import { setTimeout as sleep } from 'node:timers/promises'
import { type UnixMs, unixMs } from '#contract/units.ts'

/** What the poller needs from the world, and no more. */
export type PollDeps = {
  /** Reads what is due at this time of the grid, and keeps it. Must not throw. */
  readonly cycle: (gridTime: UnixMs) => Promise<void>
  /** This time of the grid has gone by unread. Not asked of the faster grid, which is there to be read as well as can be. */
  readonly missed: (gridTime: UnixMs) => void
  /** The wall clock, in ms since 1970 UTC. */
  readonly now: () => number
  /** A clock that no one sets, in ms. */
  readonly elapsed: () => number
}

/** How often to read: at each whole multiple of `everyMs` of the wall clock, so without drift. `isFast` means a faster grid for now. */
export type Pace = { readonly everyMs: number; readonly isFast: boolean }

/** Runs a cycle at each time of the pace's grid until `signal` aborts. */
export async function poll(deps: PollDeps, paceNow: () => Pace, signal: AbortSignal): Promise<void> {
  let pace = paceNow()
  let due = nextOnGrid(deps.now(), pace.everyMs)
  let since = deps.elapsed()
  const passOver = (from: number, to: number): void => {
    if (pace.isFast) return
    for (const t of missedBetween({ from, to, everyMs: pace.everyMs, tookMs: deps.elapsed() - since })) deps.missed(t)
  }
  while (!signal.aborted) {
    await sleep(Math.max(0, due - deps.now()), undefined, { signal }).catch(ignoreAbort)
    if (signal.aborted) return
    const at = wokenAt({ due, now: deps.now(), everyMs: pace.everyMs })
    passOver(due, at)
    await deps.cycle(unixMs(at))
    const before = pace
    pace = paceNow()
    due = nextDue({ due: at, now: deps.now(), everyMs: pace.everyMs })
    if (pace.everyMs === before.everyMs) passOver(at + pace.everyMs, due)
    since = deps.elapsed()
  }
}

type Moment = { readonly due: number; readonly now: number; readonly everyMs: number }

const onGrid = (now: number, everyMs: number): number => Math.floor(now / everyMs) * everyMs
export const nextOnGrid = (now: number, everyMs: number): number => onGrid(now, everyMs) + everyMs

// A timer may fire a little before its time; a clock that was set back is farther off.
const isEarly = ({ due, now, everyMs }: Moment): boolean => now < due && due - now < everyMs

/** The time of the grid to read for on waking: `due`, or a later one after a long sleep. */
export const wokenAt = (m: Moment): number => (isEarly(m) ? m.due : onGrid(m.now, m.everyMs))

/** The time of the grid to read at after the one that was `due`: never the same again. */
export const nextDue = (m: Moment): number => (isEarly(m) ? m.due + m.everyMs : nextOnGrid(m.now, m.everyMs))

/** The times of the grid in [from, to). Never more than there was time for, when someone sets the clock ahead. */
export function missedBetween(span: { from: number; to: number; everyMs: number; tookMs: number }): UnixMs[] {
  const passed = Math.round((span.to - span.from) / span.everyMs)
  const missed = Math.max(0, Math.min(passed, Math.floor(span.tookMs / span.everyMs)))
  return Array.from({ length: missed }, (_, i) => unixMs(span.from + i * span.everyMs))
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error
}
