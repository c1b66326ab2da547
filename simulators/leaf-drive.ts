import { type UnixMs, unixMs } from '#contract/units.ts'
import { type Control, type Direction, type LeafNow, type Motion, obey, positionAt, UNTOUCHED } from './gate-leaf.ts'

/** A leaf's motor, and the overload relay that saves it from a leaf that does not move and from too many starts. */

/** At some six times its rated current a relay of class 10 trips within seconds. */
export const LOCKED_MS = 3000
/** A tripped relay cools down, and closes again by itself. */
export const COOLING_MS = 120_000
/** Duty S4 of IEC 60034-1 with 120 starts an hour, as hoist motors have. */
export const STARTS_PER_H = 120

export class LeafDrive {
  #control = UNTOUCHED
  #held = false
  /** Where the leaf stands that could not do as it was told. */
  #stands: Motion | null = null
  #locked: { readonly since: UnixMs; readonly direction: Direction } | null = null
  #starts: UnixMs[] = []

  get control(): Control {
    return this.#control
  }

  /** @param own how the leaf moves that nobody has commanded or held. */
  motion(own: Motion): Motion {
    return this.#stands ?? this.#control.ordered ?? own
  }

  /** Its command registers were written. @returns the motion that this made; null where it made none. */
  take(written: Omit<Control, 'ordered'>, leaf: LeafNow): Motion | null {
    const next = obey(this.#control, written, leaf)
    const { ordered } = next
    const isNew = ordered !== this.#control.ordered
    this.#control = next
    if (!ordered || !isNew) return null
    const { direction } = positionAt(ordered, leaf.t)
    const moves = direction === 'still' || this.#start(direction, leaf.t)
    this.#stands = moves ? null : standingAt(leaf)
    return this.#stands ?? ordered
  }

  /** Jams the leaf, if it is not jammed. @param motion how it moved until then. @returns how it stands; null where it was held before. */
  hold(motion: Motion, since: UnixMs): Motion | null {
    if (this.#held) return null
    this.#held = true
    const { opening_mm, direction } = positionAt(motion, since)
    if (direction !== 'still') this.#locked = { since, direction }
    this.#stands = standingAt({ opening_mm, speed_mm_s: motion.speed_mm_s, t: since })
    return this.#stands
  }

  /** It could move again, and does with the next command. */
  free(): void {
    this.#held = false
  }

  /** In which direction the motor pushes against a leaf that does not move. */
  pushing(t: UnixMs): Direction {
    return this.#locked && t < this.#locked.since + LOCKED_MS ? this.#locked.direction : 'still'
  }

  isTripped(t: UnixMs): boolean {
    if (!this.#locked) return false
    const trips = this.#locked.since + LOCKED_MS
    return t >= trips && t < trips + COOLING_MS
  }

  /** @returns whether the leaf moves. */
  #start(direction: Direction, t: UnixMs): boolean {
    if (this.isTripped(t)) return false
    this.#starts = [...this.#starts.filter((s) => s > t - 3_600_000), t]
    if (this.#starts.length > STARTS_PER_H) this.#locked = { since: unixMs(t - LOCKED_MS), direction }
    else if (this.#held) this.#locked = { since: t, direction }
    else return true
    return false
  }
}

const standingAt = ({ opening_mm, speed_mm_s, t }: Pick<LeafNow, 'opening_mm' | 'speed_mm_s' | 't'>): Motion => ({
  from_mm: opening_mm,
  to_mm: opening_mm,
  start: t,
  speed_mm_s,
})
