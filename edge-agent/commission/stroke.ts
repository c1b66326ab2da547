import type { Stroke, StrokeEnd } from '#contract/commissioning.ts'
import type { Reading } from '#contract/reading.ts'
import type { LeafDrive } from '../command/leaf-drive.ts'

/** A stroke test: one leaf goes some way under the eyes of the engineer, and how long it takes is measured. */

export type StrokeDeps = {
  readonly drive: Pick<LeafDrive, 'order'>
  /** All readings of the structure, fresh. */
  readonly read: () => Promise<ReadonlyMap<string, Reading>>
  /** The leaf's metric: `opening`, `opening_2` … */
  readonly metric: string
  readonly now: () => number
  /** A clock that no one sets, in ms. */
  readonly elapsed: () => number
  readonly pause: (ms: number) => Promise<void>
}
export type StrokePlan = {
  /** From 1. */
  readonly leaf: number
  readonly to_m: number
  readonly signal: AbortSignal
  /** After each look. */
  readonly progress: (opening_m: number) => void
}

/** Why a leaf may not be moved now, in words for the page; null when it may. */
export type Obstacle = 'hand_switch' | 'automatic' | 'mode_unknown' | 'fault' | 'moving' | 'opening_unknown'

const LOOK_EVERY_MS = 500
/** Resolution of a gate's encoder: domain practice, 1 to 5 mm. */
const REACHED_M = 0.005
/** Where a controller ends its own way, and the leaf stands. */
const NEAR_M = 0.02
const MOVED_M = 0.003
const NO_MOVEMENT_MS = 10_000
const STALLED_MS = 8000
/** A leaf at 0.2 m/min takes 15 min over 3 m. */
const LONGEST_MS = 20 * 60_000

export function obstacleTo(readings: ReadonlyMap<string, Reading>, metric: string): Obstacle | null {
  const value = (name: string): number | undefined => {
    const r = readings.get(name)
    return r?.quality === 'good' ? r.value : undefined
  }
  const mode = value('mode')
  if (mode === undefined) return 'mode_unknown'
  if (mode === 0) return 'hand_switch'
  if (mode !== 1) return 'automatic'
  if (value('fault') !== 0) return 'fault'
  if (value('moving') === 1) return 'moving'
  return value(metric) === undefined ? 'opening_unknown' : null
}

/** Every end but `arrived` has told the leaf to stop. */
export async function runStroke(deps: StrokeDeps, plan: StrokePlan): Promise<Stroke> {
  const start = await deps.read()
  const from = openingIn(start, deps.metric)
  const at = deps.now()
  const done = (end: StrokeEnd, reached_m: number, began: number): Stroke => ({
    leaf: plan.leaf,
    at,
    from_m: from ?? 0,
    to_m: plan.to_m,
    reached_m,
    travel_s: Math.round((deps.elapsed() - began) / 100) / 10,
    end,
  })
  const began = deps.elapsed()
  if (from === undefined || obstacleTo(start, deps.metric) !== null) return done('refused', from ?? 0, began)
  const written = await deps.drive.order(
    { order: 'go', setpoint_mm: Math.round(plan.to_m * 1000) },
    { first: false, stillWanted: () => !plan.signal.aborted },
  )
  if (written.kind !== 'written') {
    if (written.kind === 'unknown') await stopLeaf(deps.drive)
    return done(written.kind === 'not_sent' && plan.signal.aborted ? 'stopped' : 'refused', from, began)
  }
  const end = await follow(deps, plan, { from, began })
  if (end.end !== 'arrived') await stopLeaf(deps.drive)
  return done(end.end, end.reached, began)
}

async function follow(
  deps: StrokeDeps,
  { to_m, signal, progress }: StrokePlan,
  { from, began }: { from: number; began: number },
): Promise<{ end: StrokeEnd; reached: number }> {
  let [reached, movedAt, lastSeen, hasMoved] = [from, began, began, false]
  while (deps.elapsed() - began < LONGEST_MS) {
    if (signal.aborted) return { end: 'stopped', reached }
    await deps.pause(LOOK_EVERY_MS)
    const readings = await deps.read()
    const now = deps.elapsed()
    const opening = openingIn(readings, deps.metric)
    if (opening === undefined) {
      if (now - lastSeen > NO_MOVEMENT_MS) return { end: 'lost', reached }
      continue
    }
    lastSeen = now
    if (Math.abs(opening - reached) >= MOVED_M) {
      ;[reached, movedAt, hasMoved] = [opening, now, true]
      progress(opening)
    }
    if (Math.abs(opening - to_m) <= REACHED_M) return { end: 'arrived', reached: opening }
    // The hand at the gate goes before everything.
    if (readings.get('mode')?.quality === 'good' && obstacleTo(readings, deps.metric) === 'hand_switch')
      return { end: 'stopped', reached: opening }
    if (!hasMoved && now - movedAt > NO_MOVEMENT_MS) return { end: 'no_movement', reached: opening }
    if (hasMoved && now - movedAt > STALLED_MS) return { end: Math.abs(opening - to_m) <= NEAR_M ? 'arrived' : 'stalled', reached: opening }
  }
  return { end: 'too_slow', reached }
}

/** Waits behind nothing. @returns whether the device took it. */
export async function stopLeaf(drive: Pick<LeafDrive, 'order'>): Promise<boolean> {
  for (let tried = 0; tried < 3; tried++) {
    const { kind } = await drive.order({ order: 'stop', setpoint_mm: 0 }, { first: true, stillWanted: () => true })
    if (kind === 'written') return true
  }
  return false
}

function openingIn(readings: ReadonlyMap<string, Reading>, metric: string): number | undefined {
  const r = readings.get(metric)
  return r?.quality === 'good' ? r.value : undefined
}
