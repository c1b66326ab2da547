import type { LiveState } from '#contract/live.ts'
import { type Reach, reaches } from '#contract/may.ts'

/** What a client has asked to see, after it was checked. */
export type View = { readonly gates: ReadonlySet<string> | null; readonly areas: ReadonlySet<string> | null }

/** Is this gate in the client's view and in the areas that its person may see? */
export function sees(view: View, reach: Reach, state: Pick<LiveState, 'gate' | 'area'>): boolean {
  if (!reaches(reach, state.area)) return false
  if (view.gates === null && view.areas === null) return true
  return (view.gates?.has(state.gate) ?? false) || (view.areas?.has(state.area) ?? false)
}

/** Least time between two `state` messages to one client: at most two in a second. */
export const GAP_MS = 500

/** What one client is still owed. It grows with the number of gates, not with time or with the number of messages. */
export type Owed = { full: boolean; readonly gates: Set<string>; lastSentAt: number }
export const nothingOwed = (): Owed => ({ full: false, gates: new Set(), lastSentAt: Number.NEGATIVE_INFINITY })

export type Due = 'full' | 'changes' | 'nothing'

/** What to send now: nothing before the gap is over or while the client has not taken what was sent before. */
export function due(owed: Owed, now: number, options: { readonly writable: boolean }): Due {
  if (!options.writable || now - owed.lastSentAt < GAP_MS) return 'nothing'
  if (owed.full) return 'full'
  return owed.gates.size > 0 ? 'changes' : 'nothing'
}

export function markSent(owed: Owed, now: number): void {
  owed.full = false
  owed.gates.clear()
  owed.lastSentAt = now
}
