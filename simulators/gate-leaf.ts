import { type UnixMs, unixMs } from '#contract/units.ts'
import { swing } from './noise.ts'

/** A leaf and its motor: pure. Openings are mm, as the encoder counts them. */

/** The leaf goes from one opening to another at a steady speed and stops there. */
export type Motion = { readonly from_mm: number; readonly to_mm: number; readonly start: UnixMs; readonly speed_mm_s: number }
export type Direction = 'raising' | 'lowering' | 'still'

/** @returns where the leaf is at `t`, to the millimetre, and whether its motor runs. */
export function positionAt(m: Motion, t: UnixMs): { readonly opening_mm: number; readonly direction: Direction } {
  if (isAtRest(m, t)) return { opening_mm: m.to_mm, direction: 'still' }
  return { opening_mm: openingAt(m, t), direction: m.to_mm > m.from_mm ? 'raising' : 'lowering' }
}

/** @returns where the leaf is at `t`, mm: without an object, for who asks a hundred million times. */
export function openingAt(m: Motion, t: UnixMs): number {
  return isAtRest(m, t) ? m.to_mm : Math.round(m.from_mm + Math.sign(m.to_mm - m.from_mm) * gone(m, t))
}

const isAtRest = (m: Motion, t: UnixMs): boolean => gone(m, t) >= Math.abs(m.to_mm - m.from_mm)
const gone = (m: Motion, t: UnixMs): number => (Math.max(0, t - m.start) / 1000) * m.speed_mm_s

/** The command registers of a leaf and, once a command has been taken, the motion that it made. */
export type Control = {
  readonly setpoint_mm: number
  readonly command: number
  readonly sequence: number
  readonly ordered: Motion | null
}
export const UNTOUCHED: Control = { setpoint_mm: 0, command: 0, sequence: 0, ordered: null }

const COMMANDS = { 1: 'open', 2: 'close', 3: 'stop', 4: 'go to set-point' } as const
type Command = keyof typeof COMMANDS
export const isCommand = (code: number): code is Command => code in COMMANDS

/** Where the leaf is, how far it can go and how fast, when a command reaches it. */
export type LeafNow = { readonly opening_mm: number; readonly height_mm: number; readonly speed_mm_s: number; readonly t: UnixMs }

/** The control after its registers were written. A changed sequence number is what carries a command out; the end stops bound it. */
export function obey(before: Control, written: Omit<Control, 'ordered'>, leaf: LeafNow): Control {
  if (written.sequence === before.sequence || !isCommand(written.command)) return { ...written, ordered: before.ordered }
  const to_mm = targetOf(written.command, written.setpoint_mm, leaf)
  return { ...written, ordered: { from_mm: leaf.opening_mm, to_mm, start: leaf.t, speed_mm_s: leaf.speed_mm_s } }
}

function targetOf(command: Command, setpoint_mm: number, leaf: LeafNow): number {
  switch (command) {
    case 1:
      return leaf.height_mm
    case 2:
      return 0
    case 3:
      return leaf.opening_mm
    case 4:
      return Math.min(setpoint_mm, leaf.height_mm)
  }
}

const SLOT_MS = 10 * 60_000
const REPOSITION_SHARE = 0.08
/** Of the way that a leaf can go in a slot: it must arrive before the next one, or its position would not be a function of time alone. */
const REACH_SHARE = 0.4
/** Smallest move worth a start of the motor. */
const LEAST_MOVE_MM = 10

export type Schedule = {
  readonly id: string
  readonly seed: number
  readonly leaf: number
  readonly base_mm: number
  readonly height_mm: number
  readonly speed_mm_s: number
}

/**
 * What a leaf does that nobody commands: every ten minutes, at a moment of its structure's own, it may move some millimetres, all leaves of a
 * structure together. @returns the motion that holds at `t`: the same for the same seed, structure and time.
 */
export function scheduledMotion(s: Schedule, t: UnixMs): Motion {
  const shift = Math.round((SLOT_MS / 2) * (1 + swing(s.seed, s.id, 'slot')))
  const slot = Math.floor((t + shift) / SLOT_MS)
  const [from_mm, wanted_mm] = [setpointOf(s, slot - 1), setpointOf(s, slot)]
  return { from_mm, to_mm: wanted_mm, start: unixMs(slot * SLOT_MS - shift), speed_mm_s: s.speed_mm_s }
}

function setpointOf(s: Schedule, slot: number): number {
  const reach = Math.min(REPOSITION_SHARE * s.base_mm, (REACH_SHARE * s.speed_mm_s * SLOT_MS) / 1000)
  const step = Math.round((reach * swing(s.seed, s.id, 'set-point', slot)) / LEAST_MOVE_MM) * LEAST_MOVE_MM
  // Encoders of leaves that should be level differ by a few millimetres.
  const uneven = Math.round(3 * swing(s.seed, s.id, 'uneven', s.leaf))
  return Math.min(Math.max(Math.round(s.base_mm) + step + uneven, 0), s.height_mm)
}
