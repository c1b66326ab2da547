import { type Static, Type } from 'typebox'
import {
  type Command,
  CommandReport,
  ControlMode,
  type ControlStatus,
  type Failure,
  isFinal,
  PastPreset,
  Preset,
  type Refusal,
  Tag,
} from '#contract/command.ts'
import { TighterLimits } from '#contract/control-limits.ts'
import type { LeafStep } from './leaf-steps.ts'
import type { Plant } from './plant.ts'
import type { Way } from './watch.ts'

/** What must survive the agent: it is on the disk before anything is written to a gate. */
export const Kept = Type.Object(
  {
    /** Of the last command seen; null before the first agreement with the center. */
    counter: Type.Union([Type.Integer(), Type.Null()]),
    /** The newest reports, one for each command, oldest first. */
    records: Type.Array(CommandReport),
    mode: ControlMode,
    tag: Type.Union([Tag, Type.Null()]),
    presets: Type.Array(Preset),
    /** Not in the files that older versions wrote. */
    past: Type.Optional(Type.Array(PastPreset)),
    tighter: TighterLimits,
    /** Start times of each leaf's motor, ms since 1970. */
    starts: Type.Array(Type.Array(Type.Number())),
    lastMove: Type.Union([Type.Number(), Type.Null()]),
    /** Stops whose end has not been told: taken up again after a restart, since to stop twice harms nobody. */
    stops: Type.Array(Type.Object({ id: Type.String(), counter: Type.Integer() }, { additionalProperties: false })),
  },
  { additionalProperties: false },
)
export type Kept = Static<typeof Kept>

export const nothingKept = (leaves: number): Kept => ({
  counter: null,
  records: [],
  mode: { kind: 'manual' },
  tag: null,
  presets: [],
  past: [],
  tighter: {},
  starts: Array.from({ length: leaves }, () => []),
  lastMove: null,
  stops: [],
})

export type Mover = {
  readonly by: 'command' | 'preset' | 'automatic'
  readonly id: string
  readonly counter: number
  readonly targets: readonly number[]
}

/** A move that was begun. */
export type Active = {
  readonly mover: Mover
  /** The first write must go out before it, by the wall clock. */
  readonly notAfter: number | null
  steps: LeafStep[]
  /** The write that is on its way to the controller. */
  token: number | null
  way: Way | null
  hasMoved: boolean
  /** When the moving leaf's encoder was last read, and the source time of that reading. */
  seenAt: number
  seenT: number
  readonly change: 'more' | 'less'
  readonly flow_m3s: number | null
  trims: number
  settleAt: number | null
}

/** All leaves are being brought to a stand. It has the right of way over everything. */
export type Halting = {
  readonly since: number
  token: number | null
  written: boolean
  retryAt: number
  /** What the halt ends, and why. */
  ends: { readonly mover: Mover; readonly reason: Failure } | null
}

export type Machine = {
  kept: Kept
  active: Active | null
  halting: Halting | null
  /** Records of before a restart that had not ended: told with the position, once it is known. */
  unfinished: string[]
  /** The controller may still hold the order of such a move, of a leaf that is stuck: nothing moves before it has been withdrawn. */
  mayHoldOrder: boolean
  /** Where the leaves were when one of them last moved, and when that was. */
  rest: { readonly openings: readonly (number | null)[]; readonly since: number } | null
  levels: { readonly at: number; readonly up: number | null; readonly down: number | null }[]
  nextAutomatic: number
  unsoundSince: number | null
  waiting: Refusal | null
  contactLostAt: number | null
  lastToken: number
  startedAt: number | null
  /** The status that was told last, without its time. */
  shown: string
}

export function openMachine(kept: Kept): Machine {
  const unfinished = kept.records.filter((r) => !isFinal(r.state) && !kept.stops.some((s) => s.id === r.id)).map((r) => r.id)
  return {
    kept,
    active: null,
    halting: null,
    unfinished,
    mayHoldOrder: unfinished.length > 0,
    rest: null,
    levels: [],
    nextAutomatic: 0,
    unsoundSince: null,
    waiting: null,
    contactLostAt: null,
    lastToken: 0,
    startedAt: null,
    shown: '',
  }
}

export type World = {
  /** The wall clock, ms since 1970, and whether it is believed. */
  readonly now: number
  readonly time: 'trusted' | 'untrusted'
  /** A clock that no one sets, ms. */
  readonly elapsed: number
  readonly contact: boolean
  readonly plant: Plant
}

export type Event =
  /** Its signature is good and it is for this structure. */
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'tick' }
  | { readonly kind: 'written'; readonly token: number; readonly outcome: 'done' | 'failed' | 'too_late' }
  /** The center's signed word of the last counter that it gave out. */
  | { readonly kind: 'agreed'; readonly counter: number }
  /** The disk did not take what had to be kept: what stood after it was not done. */
  | { readonly kind: 'not_kept' }

export type Effect =
  /** To the disk, synced, before any effect that follows. */
  | { readonly do: 'keep' }
  | { readonly do: 'drive'; readonly token: number; readonly leaf: number; readonly to_m: number; readonly notAfter: number | null }
  /** To every leaf, ahead of whatever waits for the bus. */
  | { readonly do: 'halt'; readonly token: number }
  | { readonly do: 'report'; readonly report: CommandReport }
  | { readonly do: 'status'; readonly status: ControlStatus }
