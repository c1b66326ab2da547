import { type Failure, isFinal } from '#contract/command.ts'
import { hasFault, isLocal, type MovePlan, planMove, waterRefusal } from './decide.ts'
import { flowAt, flowNow, openingForFlow } from './flow-opening.ts'
import { beginHalt } from './halt.ts'
import type { Active, Mover } from './machine-state.ts'
import { goodValue } from './plant.ts'
import { limitsOf, nextToken, situationOf, type Turn, tell } from './turn.ts'
import { beginWay, watch } from './watch.ts'

/** A move from its first write to its end. One leaf after the other, never two at once. */

const HOUR_MS = 3_600_000
const MOST_TRIMS = 2

export type MoveOrder = {
  readonly mover: Mover
  readonly notAfter: number | null
  readonly flow_m3s: number | null
  readonly plan: MovePlan
}

export function beginMove(turn: Turn, { mover, notAfter, flow_m3s, plan }: MoveOrder): void {
  const { m, w } = turn
  if (plan.steps.length === 0) {
    tell(turn, mover, { state: 'done' })
    return
  }
  const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0)
  const now = w.plant.openings.map((o) => goodValue(o) ?? 0)
  m.active = {
    mover,
    notAfter,
    steps: [...plan.steps],
    token: null,
    way: null,
    hasMoved: false,
    seenAt: w.elapsed,
    seenT: 0,
    change: sum(plan.targets) > sum(now) ? 'more' : 'less',
    flow_m3s,
    trims: 0,
    settleAt: null,
  }
  countStarts(turn, plan.steps)
  tell(turn, mover, { state: 'accepted' })
  driveNext(turn, m.active)
}

/** Counted before the motor starts: a start that is not on the disk could be made twice. */
function countStarts({ m, w }: Turn, steps: MovePlan['steps']): void {
  m.kept.lastMove = w.now
  m.kept.starts = m.kept.starts.map((times, leaf) => [
    ...times.filter((t) => w.now - t < HOUR_MS),
    ...steps.filter((s) => s.leaf === leaf).map(() => w.now),
  ])
}

function driveNext(turn: Turn, active: Active): void {
  const [step, ...rest] = active.steps
  if (!step) return
  active.steps = rest
  active.token = nextToken(turn)
  const from_m = goodValue(turn.w.plant.openings[step.leaf] ?? { kind: 'bad' }) ?? step.to_m
  active.way = beginWay(step.leaf, { from_m, to_m: step.to_m, at: turn.w.elapsed })
  active.seenAt = turn.w.elapsed
  turn.effects.push({
    do: 'drive',
    token: active.token,
    leaf: step.leaf,
    to_m: step.to_m,
    notAfter: active.hasMoved ? null : active.notAfter,
  })
}

/** The controller has taken the order, or may have. */
export function driveWritten(turn: Turn, active: Active, outcome: 'done' | 'failed' | 'too_late'): void {
  active.token = null
  switch (outcome) {
    case 'done':
      if (active.way) active.way = { ...active.way, startedAt: turn.w.elapsed, movedAt: turn.w.elapsed }
      active.seenAt = turn.w.elapsed
      return
    case 'failed':
      // The answer was lost, perhaps not the order: it is never sent again, and what may move is brought to a stand.
      beginHalt(turn, { mover: active.mover, reason: 'write_failed' })
      return
    case 'too_late':
      turn.m.active = null
      tell(turn, active.mover, { state: 'expired' })
  }
}

export function continueMove(turn: Turn, active: Active): void {
  const { m, w } = turn
  if (isLocal(w.plant)) {
    // The hand in the gatehouse has the gate: not even a stop is written against it.
    m.active = null
    tell(turn, active.mover, { state: 'failed', reason: 'went_local' })
    return
  }
  const reason = interruption(turn, active)
  if (reason) beginHalt(turn, { mover: active.mover, reason })
  else if (active.token !== null) return
  else if (active.way) follow(turn, active, active.way)
  else if (active.settleAt !== null && w.elapsed >= active.settleAt) trim(turn, active)
}

/** What ends a move on its way, whatever the leaf itself does. */
function interruption(turn: Turn, active: Active): Failure | null {
  const { m, w, settings } = turn
  const { control } = settings
  if (m.kept.tag) return 'tagged_out'
  const fault = goodValue(w.plant.fault)
  if (fault !== null && hasFault(fault, control.fault_mask)) return 'fault'
  const lost = m.contactLostAt !== null && w.elapsed - m.contactLostAt >= control.contact_grace_s * 1000
  if (lost && active.mover.by === 'command' && control.contact_loss === 'hold') return 'contact_lost'
  const water = waterRefusal({ plant: w.plant, limits: limitsOf(turn), fallen: { up: 0, down: 0 } }, active.change)
  return water === 'drawdown' ? null : water
}

function follow(turn: Turn, active: Active, way: NonNullable<Active['way']>): void {
  const { w, settings } = turn
  const opening = w.plant.openings[way.leaf]
  if (opening?.kind !== 'good') {
    if (w.elapsed - active.seenAt > settings.control.stale_after_s * 1000) beginHalt(turn, { mover: active.mover, reason: 'sensor_lost' })
    return
  }
  if (opening.t <= active.seenT) return
  active.seenT = opening.t
  active.seenAt = w.elapsed
  const verdict = watch(way, { opening_m: opening.value, at: w.elapsed }, settings.control)
  switch (verdict.kind) {
    case 'moving':
      active.way = verdict.way
      noteMovement(turn, active, verdict.way.hasMoved)
      return
    case 'failed':
      beginHalt(turn, { mover: active.mover, reason: verdict.reason })
      return
    case 'arrived':
      active.way = null
      noteMovement(turn, active, true)
      if (active.steps.length > 0) driveNext(turn, active)
      else if (active.flow_m3s !== null) active.settleAt = w.elapsed + settings.control.settle_s * 1000
      else finish(turn, active)
  }
}

/** The first millimetres are told: from then on the screen says that it moves. */
function noteMovement(turn: Turn, active: Active, moved: NonNullable<Active['way']>['hasMoved']): void {
  if (!moved || active.hasMoved) return
  active.hasMoved = true
  tell(turn, active.mover, { state: 'moving' })
}

function finish(turn: Turn, active: Active): void {
  turn.m.active = null
  tell(turn, active.mover, { state: 'done' })
}

/** By flow: the leaves stand where the method put them; what the flow still lacks is corrected, within dead band and starts. */
function trim(turn: Turn, active: Active): void {
  active.settleAt = null
  const plan = active.trims < MOST_TRIMS ? trimPlan(turn, active.flow_m3s ?? 0) : null
  if (!plan) {
    finish(turn, active)
    return
  }
  active.trims += 1
  active.steps = [...plan.steps]
  countStarts(turn, plan.steps)
  turn.effects.push({ do: 'keep' })
  driveNext(turn, active)
}

/** @returns null where nothing is left to correct, or nothing may be. */
function trimPlan(turn: Turn, wanted: number): MovePlan | null {
  const { w, settings } = turn
  const { control } = settings
  const flow = flowNow(w.plant, control)
  const openings = w.plant.openings.map(goodValue)
  if (flow === null || !openings.every((o) => o !== null)) return null
  if (Math.abs(wanted - flow) <= control.flow_deadband * Math.max(wanted, 0.1)) return null
  const computed = flowAt(w.plant, openings, control)
  const factor = computed !== null && flow > 0.05 ? Math.max(0.5, Math.min(2, computed / flow)) : 1
  const opening = openingForFlow(w.plant, wanted * factor, { ...control, highest_m: limitsOf(turn).highest_opening_m })
  if (opening === null) return null
  const targets = openings.map(() => opening)
  const decision = planMove({ ...situationOf(turn), lastMove: null }, targets)
  return decision.do === 'move' && decision.plan.steps.length > 0 ? decision.plan : null
}

/** After a restart: what was under way is never taken up again; the position is read and told. */
export function tellUnfinished(turn: Turn): void {
  const { m, w } = turn
  m.startedAt ??= w.elapsed
  if (m.unfinished.length === 0) return
  const known = w.plant.openings.every((o) => o.kind === 'good')
  if (!known && w.elapsed - m.startedAt < turn.settings.control.stale_after_s * 1000) return
  for (const id of m.unfinished) {
    const record = m.kept.records.find((r) => r.id === id)
    if (record && !isFinal(record.state)) tell(turn, { ...record, targets: record.targets_m }, { state: 'failed', reason: 'restarted' })
  }
  m.unfinished = []
}
