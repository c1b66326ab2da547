import type { Failure } from '#contract/command.ts'
import { isLocal } from './decide.ts'
import type { Halting, Mover } from './machine-state.ts'
import { isStill, nextToken, notePast, type Turn, tell } from './turn.ts'

/** Bringing every leaf to a stand: the one thing that waits for nothing. */

const RETRY_MS = 2000
const LONGEST_MS = 60_000

export function beginHalt(turn: Turn, ends: { readonly mover: Mover; readonly reason: Failure } | null): void {
  const { m, w, effects } = turn
  m.active = null
  m.mayHoldOrder = false
  const token = nextToken(turn)
  m.halting = {
    since: w.elapsed,
    token,
    written: false,
    retryAt: w.elapsed + RETRY_MS,
    ends: ends ?? m.halting?.ends ?? null,
  }
  effects.push({ do: 'halt', token })
}

export function stop(turn: Turn, by: { readonly id: string; readonly counter: number }): void {
  const { m } = turn
  const ends = m.active ? { mover: m.active.mover, reason: 'stopped' as const } : null
  // What was set to move the leaves later must not move them now that somebody has said stop.
  m.kept.mode = { kind: 'manual' }
  notePast(
    turn,
    m.kept.presets.map((p) => ({ ...p, t: turn.w.now, state: 'failed', reason: 'stopped' })),
  )
  m.kept.presets = []
  m.kept.stops = [...m.kept.stops, { id: by.id, counter: by.counter }]
  beginHalt(turn, ends)
  tell(turn, by, { state: 'accepted' })
}

export function haltWritten(turn: Turn, halting: Halting, outcome: 'done' | 'failed' | 'too_late'): void {
  halting.token = null
  halting.written = outcome === 'done'
  halting.retryAt = turn.w.elapsed + RETRY_MS
}

/** Ends when two readings in a row show every leaf where it was, or when it must be said that this can't be known. */
export function continueHalt(turn: Turn, halting: Halting): void {
  const { w, effects } = turn
  const end = endOf(turn, halting)
  if (end !== null) conclude(turn, halting, end === 'still' ? null : end)
  if (turn.m.halting && halting.token === null && w.elapsed >= halting.retryAt) {
    halting.token = nextToken(turn)
    halting.retryAt = w.elapsed + RETRY_MS
    effects.push({ do: 'halt', token: halting.token })
  }
}

function endOf(turn: Turn, halting: Halting): Failure | 'still' | null {
  const { w } = turn
  if (isLocal(w.plant)) return 'went_local'
  const known = w.plant.openings.every((o) => o.kind === 'good')
  if (halting.written && known && isStill(turn)) return 'still'
  if (w.elapsed - halting.since <= LONGEST_MS) return null
  return !halting.written ? 'write_failed' : known ? 'still_moving' : 'sensor_lost'
}

/** `trouble`: why it is not known that the leaves stand. It is told; but until they are seen to stand, or a hand has them, nothing else moves. */
function conclude(turn: Turn, halting: Halting, trouble: Failure | null): void {
  const { ends } = halting
  const { stops } = turn.m.kept
  turn.m.kept.stops = []
  if (trouble === null || trouble === 'went_local') turn.m.halting = null
  else halting.ends = null
  if (ends) tell(turn, ends.mover, { state: 'failed', reason: trouble === 'still_moving' ? trouble : ends.reason })
  for (const by of stops) tell(turn, by, trouble === null ? { state: 'done' } : { state: 'failed', reason: trouble })
}
