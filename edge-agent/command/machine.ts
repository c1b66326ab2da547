import { type Command, type CommandAction, type PresetAction, presetId, type Refusal } from '#contract/command.ts'
import { tightest } from '#contract/control-limits.ts'
import { propose } from '../modes/automatic.ts'
import { type Decision, decide, decideAction, hasFault, isLocal, planMove, unsound } from './decide.ts'
import { beginHalt, continueHalt, haltWritten, stop } from './halt.ts'
import type { Effect, Event, Machine, World } from './machine-state.ts'
import { beginMove, continueMove, driveWritten, tellUnfinished } from './move.ts'
import { goodValue } from './plant.ts'
import {
  isStill,
  limitsOf,
  noteLevels,
  notePast,
  noteRest,
  type StructureSettings,
  situationOf,
  statusKey,
  statusOf,
  type Turn,
  tell,
} from './turn.ts'

/** A preset that was missed by more is not made up for: the water has gone on without it. */
const MOST_LATE_MS = 10 * 60_000

/** The control of one structure: pure. The caller carries the effects out, in their order. */
export function step(before: Machine, event: Event, world: World, settings: StructureSettings): { machine: Machine; effects: Effect[] } {
  const turn: Turn = { m: structuredClone(before), w: world, settings, effects: [] }
  noteContact(turn)
  take(turn, event)
  const status = statusOf(turn)
  const key = statusKey(status)
  // The world is part of what is shown: that the time is agreed is news though nothing of the machine has changed.
  if (key !== turn.m.shown) turn.effects.push({ do: 'keep' }, { do: 'status', status })
  turn.m.shown = key
  return { machine: turn.m, effects: once(turn.effects) }
}

/** The state is kept as a whole: what is kept twice before anything else happens is kept once. */
const once = (effects: readonly Effect[]): Effect[] => effects.filter((e, i) => !(e.do === 'keep' && effects[i - 1]?.do === 'keep'))

function take(turn: Turn, event: Event): void {
  const { m } = turn
  switch (event.kind) {
    case 'command':
      takeCommand(turn, event.command)
      return
    case 'written':
      if (m.halting && m.halting.token === event.token) haltWritten(turn, m.halting, event.outcome)
      else if (m.active && m.active.token === event.token) driveWritten(turn, m.active, event.outcome)
      return
    case 'agreed':
      m.kept.counter = Math.max(m.kept.counter ?? 0, event.counter)
      return
    case 'not_kept':
      if (m.active) beginHalt(turn, { mover: m.active.mover, reason: 'not_kept' })
      else if (m.halting) m.halting.written = false
      return
    case 'tick':
      tick(turn)
  }
}

function noteContact({ m, w }: Turn): void {
  m.contactLostAt = w.contact ? null : (m.contactLostAt ?? w.elapsed)
}

function takeCommand(turn: Turn, command: Command): void {
  const { m, effects } = turn
  const known = m.kept.records.find((r) => r.id === command.id)
  if (known) {
    // The center asks again, because it has not heard: it is told again, and nothing is done.
    effects.push({ do: 'report', report: known })
    return
  }
  const decision = decide(command, situationOf(turn))
  if (m.kept.counter !== null) m.kept.counter = Math.max(m.kept.counter, command.counter)
  carryOut(turn, { action: command.action, id: command.id, counter: command.counter, by: 'command', notAfter: command.expires }, decision)
}

type Ordered = {
  readonly action: CommandAction
  readonly id: string
  readonly counter: number
  readonly by: 'command' | 'preset' | 'automatic'
  readonly notAfter: number | null
}

function carryOut(turn: Turn, ordered: Ordered, decision: Decision): void {
  const { m } = turn
  const { action, id, counter, by } = ordered
  switch (decision.do) {
    case 'refuse':
      tell(turn, { id, counter }, decision.reason === 'expired' ? { state: 'expired' } : { state: 'refused', reason: decision.reason })
      return
    case 'stop':
      stop(turn, { id, counter })
      return
    case 'set':
      if (action.kind !== 'stop') set(turn, action)
      tell(turn, { id, counter }, { state: 'done' })
      return
    case 'move':
      if (by !== 'automatic') m.kept.mode = { kind: 'manual' }
      beginMove(turn, {
        mover: { by, id, counter, targets: decision.plan.targets },
        notAfter: ordered.notAfter,
        flow_m3s: action.kind === 'flow' ? action.flow_m3s : null,
        plan: decision.plan,
      })
  }
}

function set(turn: Turn, action: Exclude<CommandAction, { kind: 'stop' }>): void {
  const { m, w, settings } = turn
  switch (action.kind) {
    case 'tag':
      m.kept.tag = { reason: action.reason, by: action.by, until: action.until }
      m.kept.mode = { kind: 'manual' }
      if (m.active) beginHalt(turn, { mover: m.active.mover, reason: 'tagged_out' })
      return
    case 'untag':
      m.kept.tag = null
      return
    case 'limits':
      // Against the gatehouse's own: what the center asked before may be taken back, what the gatehouse demands may not.
      m.kept.tighter = action.limits
      if (m.active && !withinLimits(turn)) beginHalt(turn, { mover: m.active.mover, reason: 'stopped' })
      return
    case 'schedule':
      m.kept.presets = [...action.presets].sort((a, b) => a.at - b.at)
      return
    case 'manual':
      m.kept.mode = { kind: 'manual' }
      m.waiting = null
      return
    case 'hold_flow':
    case 'hold_level':
      m.kept.mode =
        action.kind === 'hold_flow'
          ? { kind: 'hold_flow', flow_m3s: action.flow_m3s }
          : { kind: 'hold_level', level_up_m: action.level_up_m }
      m.waiting = null
      m.nextAutomatic = w.elapsed
      return
    case 'open':
    case 'flow':
      throw new Error(`${settings.structure}: ${action.kind} is a move, not a setting`)
  }
}

function withinLimits(turn: Turn): boolean {
  const { lowest_opening_m, highest_opening_m } = tightest(turn.settings.control.limits, turn.m.kept.tighter)
  return turn.m.active?.mover.targets.every((t) => t >= lowest_opening_m && t <= highest_opening_m) ?? true
}

function tick(turn: Turn): void {
  const { m, w } = turn
  tellUnfinished(turn)
  noteLevels(turn)
  noteRest(turn)
  if (m.kept.tag && w.time === 'trusted' && w.now >= m.kept.tag.until) m.kept.tag = null
  if (m.halting) continueHalt(turn, m.halting)
  else if (m.kept.stops.length > 0) beginHalt(turn, null)
  else if (m.active) continueMove(turn, m.active)
  else if (m.mayHoldOrder && isStill(turn)) beginHalt(turn, null)
  watchMode(turn)
  if (!m.active && !m.halting && isStill(turn)) duePresets(turn)
  if (!m.active && !m.halting && isStill(turn)) automatic(turn)
}

/** An automatic mode ends where a person has the gate, where the gate is at fault, and where the agent has long been blind. */
function watchMode(turn: Turn): void {
  const { m, w, settings } = turn
  if (m.kept.mode.kind === 'manual') return
  const { plant } = w
  const fault = goodValue(plant.fault)
  const isFaulty = fault !== null && hasFault(fault, settings.control.fault_mask)
  const reason = isLocal(plant)
    ? 'local'
    : isFaulty
      ? 'fault'
      : unsound([plant.mode, plant.fault, plant.level_up, plant.level_down, ...plant.openings])
  m.unsoundSince = reason ? (m.unsoundSince ?? w.elapsed) : null
  if (!reason || m.unsoundSince === null) return
  m.waiting = reason
  const isBlind = reason !== 'local' && reason !== 'fault'
  if (isBlind && w.elapsed - m.unsoundSince < settings.control.safe_after_s * 1000) return
  m.kept.mode = { kind: 'manual' }
  if (m.active?.mover.by === 'automatic') beginHalt(turn, { mover: m.active.mover, reason: 'sensor_lost' })
}

function duePresets(turn: Turn): void {
  const { m, w } = turn
  const [next] = m.kept.presets
  if (!next || w.time === 'untrusted' || w.now < next.at) return
  m.kept.presets = m.kept.presets.slice(1)
  notePast(turn, [{ ...next, t: w.now, state: 'accepted', reason: null }])
  const ordered: Ordered = {
    action: next.action,
    id: presetId(next),
    counter: m.kept.counter ?? 0,
    by: 'preset',
    notAfter: next.at + MOST_LATE_MS,
  }
  if (w.now - next.at > MOST_LATE_MS) carryOut(turn, ordered, { do: 'refuse', reason: 'expired' })
  else carryOut(turn, ordered, decideAction(next.action, situationOf(turn)))
}

function automatic(turn: Turn): void {
  const { m, w, settings } = turn
  const { mode } = m.kept
  if (mode.kind === 'manual' || m.unsoundSince !== null || w.elapsed < m.nextAutomatic) return
  m.nextAutomatic = w.elapsed + settings.control.automatic_every_s * 1000
  const proposal = propose(mode, { plant: w.plant, control: settings.control, limits: limitsOf(turn) })
  m.waiting = proposal.do === 'wait' ? proposal.reason : null
  if (proposal.do !== 'move') return
  const decision = m.kept.tag ? refusal('tagged_out') : planMove(situationOf(turn), proposal.targets)
  if (decision.do === 'refuse') m.waiting = decision.reason
  if (decision.do !== 'move' || decision.plan.steps.length === 0) return
  carryOut(
    turn,
    { action: actionOf(proposal.targets), id: `automatic-${w.now}`, counter: m.kept.counter ?? 0, by: 'automatic', notAfter: null },
    decision,
  )
}

const refusal = (reason: Refusal): Decision => ({ do: 'refuse', reason })
const actionOf = (targets: readonly number[]): PresetAction => ({ kind: 'open', opening_m: targets[0] ?? 0, leaf: null })
