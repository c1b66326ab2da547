import { canonicalJson } from '#contract/canonical.ts'
import {
  type AgentState,
  type CommandReport,
  type ControlStatus,
  type Failure,
  MOST_PAST_PRESETS,
  type PastPreset,
  presetId,
  type Refusal,
} from '#contract/command.ts'
import { type ControlLimits, tightest } from '#contract/control-limits.ts'
import type { Situation } from './decide.ts'
import type { Effect, Machine, World } from './machine-state.ts'
import { goodValue } from './plant.ts'
import type { StructureControl } from './settings.ts'

const HOUR_MS = 3_600_000
const MOST_RECORDS = 30
const LEVEL_EVERY_MS = 60_000

export type StructureSettings = { readonly structure: string; readonly control: StructureControl }

/** One step of the machine: its draft, the world at this moment, and what is to be done. */
export type Turn = { readonly m: Machine; readonly w: World; readonly settings: StructureSettings; readonly effects: Effect[] }

export const limitsOf = ({ m, settings }: Turn): ControlLimits => tightest(settings.control.limits, m.kept.tighter)
export const openingsOf = ({ w }: Turn): (number | null)[] => w.plant.openings.map(goodValue)

export function situationOf(turn: Turn): Situation {
  const { m, w, settings } = turn
  return {
    now: w.now,
    time: w.time,
    plant: w.plant,
    limits: limitsOf(turn),
    control: settings.control,
    tag: m.kept.tag,
    isBusy: m.active !== null || m.halting !== null || m.mayHoldOrder || !isStill(turn),
    counter: m.kept.counter,
    starts: m.kept.starts,
    lastMove: m.kept.lastMove,
    fallen: fallenOf(turn),
  }
}

/** Less than that is the encoder's own unrest; so long without it is a stand. */
const REST_M = 0.003
const REST_MS = 3000

/** Notes when a leaf last moved, whoever moved it. */
export function noteRest(turn: Turn): void {
  const { m, w } = turn
  const openings = openingsOf(turn)
  const moved = openings.some((o, i) => {
    const before = m.rest?.openings[i] ?? null
    return o !== null && (before === null || Math.abs(o - before) >= REST_M)
  })
  if (moved || m.rest === null) m.rest = { openings: openings.map((o, i) => o ?? m.rest?.openings[i] ?? null), since: w.elapsed }
}

/** No leaf has moved for some seconds, as far as the encoders show. */
export const isStill = ({ m, w }: Turn): boolean => m.rest !== null && w.elapsed - m.rest.since >= REST_MS

/** Remembers both levels once a minute. */
export function noteLevels({ m, w }: Turn): void {
  const last = m.levels.at(-1)
  if (last && w.elapsed - last.at < LEVEL_EVERY_MS) return
  m.levels = m.levels.filter((l) => w.elapsed - l.at <= HOUR_MS)
  m.levels.push({ at: w.elapsed, up: goodValue(w.plant.level_up), down: goodValue(w.plant.level_down) })
}

function fallenOf({ m, w }: Turn): { up: number; down: number } {
  const fall = (now: number | null, before: readonly (number | null)[]): number =>
    now === null ? 0 : Math.max(0, ...before.map((b) => (b === null ? 0 : b - now)))
  const within = m.levels.filter((l) => w.elapsed - l.at <= HOUR_MS)
  return {
    up: fall(
      goodValue(w.plant.level_up),
      within.map((l) => l.up),
    ),
    down: fall(
      goodValue(w.plant.level_down),
      within.map((l) => l.down),
    ),
  }
}

type Told = { readonly id: string; readonly counter: number; readonly targets?: readonly number[] | null }
type How =
  | { readonly state: Exclude<AgentState, 'refused' | 'failed'> }
  | { readonly state: 'refused'; readonly reason: Refusal }
  | { readonly state: 'failed'; readonly reason: Failure }

export function reportOf(turn: Turn, told: Told, how: How): CommandReport {
  const { settings, w } = turn
  return {
    v: 1,
    structure: settings.structure,
    id: told.id,
    counter: told.counter,
    t: w.now,
    openings_m: openingsOf(turn),
    targets_m: told.targets ? [...told.targets] : null,
    ...how,
  }
}

/** On the disk first, then on the screen. */
export function tell(turn: Turn, told: Told, how: How): void {
  const { m, effects } = turn
  const report = reportOf(turn, told, how)
  const known = m.kept.records.findIndex((r) => r.id === told.id)
  if (known >= 0) m.kept.records[known] = report
  else m.kept.records = [...m.kept.records, report].slice(-MOST_RECORDS)
  const preset = m.kept.past?.findLast((p) => presetId(p) === told.id)
  if (preset) Object.assign(preset, { t: report.t, state: report.state, reason: 'reason' in report ? report.reason : null })
  effects.push({ do: 'keep' }, { do: 'report', report })
}

/** Its time has come, or it is cancelled: from here on it is told by what became of it. */
export function notePast({ m }: Turn, presets: readonly PastPreset[]): void {
  m.kept.past = [...(m.kept.past ?? []), ...presets].slice(-MOST_PAST_PRESETS)
}

export function nextToken(turn: Turn): number {
  turn.m.lastToken += 1
  return turn.m.lastToken
}

export function statusOf({ m, w, settings }: Turn): ControlStatus {
  const { counter, mode, tag, presets, past = [] } = m.kept
  return { v: 1, structure: settings.structure, t: w.now, counter, time: w.time, mode, waiting: m.waiting, tag, presets, past }
}

/** All that a status says but its time. */
export const statusKey = (status: ControlStatus): string => canonicalJson({ ...status, t: 0 })
