import type { Structure } from '#contract/district.ts'
import type { DeviceProfile } from '#contract/profile.ts'
import { metres, type UnixMs } from '#contract/units.ts'
import { gateFlow } from '#hydraulics/sluice-gate.ts'
import { cabinetAt, FAULT_BITS } from './cabinet.ts'
import type { Water } from './canal/hydrostatics.ts'
import { type Direction, isCommand, type Motion, positionAt } from './gate-leaf.ts'
import { LeafDrive } from './leaf-drive.ts'
import { ModbusException } from './modbus-exception.ts'
import { imageOf, type LeafState, type RegisterImage, type RtuState } from './register-map.ts'
import type { Jam } from './served-device.ts'
import { ShownStates } from './shown-states.ts'
import { type Surroundings, swingingSurroundings } from './surroundings.ts'

/** Where sluice-gate-rtu.yaml documents words that are no metric; a profile that has a point there hides them. */
const STATUS = 1
const CURRENT = 2
const LOAD = 3
const MOTOR: Record<Direction, { status: number; current_da: number; load_percent: number }> = {
  still: { status: 0, current_da: 0, load_percent: 0 },
  raising: { status: 0b011, current_da: 95, load_percent: 55 },
  lowering: { status: 0b101, current_da: 70, load_percent: 40 },
}
/** Of the rated current, what a motor draws whose leaf does not move. */
const LOCKED_ROTOR = 6
const UPPER_STOP = 1 << 3
const LOWER_STOP = 1 << 4
const OVERLOAD = 1 << 5
const REMOTE = 1
const AUTOMATIC = 2

export type RtuSettings = {
  readonly structure: Structure
  readonly profile: DeviceProfile
  readonly seed: number
  /** Water and leaves; those of a pool that nothing else is joined to where it is left out. */
  readonly surroundings?: Surroundings
}

/** The controller of one structure. */
export class GateRtu {
  readonly #structure: Structure
  readonly #profile: DeviceProfile
  readonly #seed: number
  readonly #surroundings: Surroundings
  readonly #drives: LeafDrive[]
  readonly #shown = new ShownStates()

  constructor({ structure, profile, seed, surroundings }: RtuSettings) {
    this.#structure = structure
    this.#profile = profile
    this.#seed = seed
    this.#surroundings = surroundings ?? swingingSurroundings(structure, seed)
    this.#drives = Array.from({ length: structure.leaves }, () => new LeafDrive())
  }

  /** The registers at `t`. */
  read(t: UnixMs): RegisterImage {
    return imageOf(this.#profile, this.state(t))
  }

  /** What the registers at `t` are made of; for a time that has gone by, what was shown then. */
  state(t: UnixMs): RtuState {
    return this.#shown.at(t) ?? this.#shown.keep(t, this.#stateNow(t))
  }

  #stateNow(t: UnixMs): RtuState {
    const s = this.#structure
    const water = this.#surroundings.water(t)
    const leaves = this.#drives.map((_, i) => positionAt(this.#motion(i, t), t))
    const flow = leaves.reduce((sum, leaf) => sum + flowUnder(s, water, leaf.opening_mm), 0)
    const cabinet = cabinetAt(s.id, this.#seed, t)
    const runs = leaves.some((leaf, i) => (leaf.direction === 'still' ? this.#drives[i]?.pushing(t) : leaf.direction) !== 'still')
    const overload = this.#drives.some((d) => d.isTripped(t)) ? FAULT_BITS.motorOverload : 0
    return {
      values: {
        level_up: s.sill_m + water.up - s.datum_m,
        level_down: s.sill_m + water.down - s.datum_m,
        flow,
        battery: cabinet.battery,
        rssi: cabinet.rssi,
        door: Number(cabinet.door),
        moving: Number(runs),
        mode: this.#drives.some((d) => d.control.ordered) ? REMOTE : AUTOMATIC,
        fault: cabinet.fault | overload,
      },
      leaves: leaves.map((leaf, i): LeafState => ({ values: { opening: leaf.opening_mm / 1000 }, words: this.#words(i, leaf, t) })),
    }
  }

  /** @throws ModbusException for any register that is not a leaf's command register, and for a command that does not exist. */
  write(address: number, words: readonly number[], t: UnixMs): void {
    const writes = words.map((word, i) => ({ ...this.#commandRegister(address + i), word }))
    for (const { register, word } of writes) {
      if (register === 'command' && word !== 0 && !isCommand(word)) throw new ModbusException('illegalValue', `there is no command ${word}`)
    }
    for (const leaf of new Set(writes.map((w) => w.leaf))) {
      const drive = this.#drive(leaf)
      const { setpoint_mm, command, sequence } = drive.control
      const written = { setpoint_mm, command, sequence }
      for (const w of writes) if (w.leaf === leaf) written[w.register] = w.word
      const { opening_mm } = positionAt(this.#motion(leaf, t), t)
      const { speed_mm_s } = this.#surroundings
      this.#moved(leaf, drive.take(written, { opening_mm, height_mm: this.#heightMm, speed_mm_s, t }))
      // Its registers have changed, whether the leaf moves or not.
      this.#shown.forget()
    }
  }

  /** From now on these leaves are jammed, and no other. */
  hold(jams: readonly Jam[], t: UnixMs): void {
    for (const [i, drive] of this.#drives.entries()) {
      const jam = jams.find((j) => j.leaf === undefined || j.leaf === i)
      if (!jam) drive.free()
      else this.#moved(i, drive.hold(this.#motion(i, t), jam.from))
    }
  }

  #moved(leaf: number, motion: Motion | null): void {
    if (!motion) return
    this.#surroundings.command(leaf, motion)
    this.#shown.forget()
  }

  #commandRegister(address: number): { leaf: number; register: 'setpoint_mm' | 'command' | 'sequence' } {
    const { leaf } = this.#profile
    const index = leaf ? Math.floor((address - leaf.first_address) / leaf.stride) : -1
    if (leaf && index >= 0 && index < this.#drives.length) {
      const relative = address - leaf.first_address - index * leaf.stride
      if (relative === leaf.command.setpoint_mm) return { leaf: index, register: 'setpoint_mm' }
      if (relative === leaf.command.command) return { leaf: index, register: 'command' }
      if (relative === leaf.command.sequence) return { leaf: index, register: 'sequence' }
    }
    throw new ModbusException('illegalAddress', `register ${address} can't be written`)
  }

  #motion(leaf: number, t: UnixMs): Motion {
    return this.#drive(leaf).motion(this.#surroundings.motion(leaf, t))
  }

  #drive(leaf: number): LeafDrive {
    const drive = this.#drives[leaf]
    if (!drive) throw new Error(`${this.#structure.id} has no leaf ${leaf + 1}`)
    return drive
  }

  get #heightMm(): number {
    return Math.round(this.#structure.leaf_height_m * 1000)
  }

  #words(leaf: number, { opening_mm, direction }: { opening_mm: number; direction: Direction }, t: UnixMs): Record<number, number> {
    const drive = this.#drive(leaf)
    const pushes = drive.pushing(t)
    const motor = MOTOR[pushes === 'still' ? direction : pushes]
    const strain = pushes === 'still' ? 1 : LOCKED_ROTOR
    const stops = (opening_mm >= this.#heightMm ? UPPER_STOP : 0) | (opening_mm <= 0 ? LOWER_STOP : 0)
    const { control } = drive
    const command = this.#profile.leaf?.command
    return {
      [STATUS]: motor.status | stops | (drive.isTripped(t) ? OVERLOAD : 0),
      [CURRENT]: motor.current_da * strain,
      [LOAD]: motor.load_percent * strain,
      ...(command && {
        [command.setpoint_mm]: control.setpoint_mm,
        [command.command]: control.command,
        [command.sequence]: control.sequence,
      }),
    }
  }
}

function flowUnder(s: Structure, water: Water, opening_mm: number): number {
  const result = gateFlow({
    width: metres(s.leaf_width_m),
    opening: metres(opening_mm / 1000),
    up: metres(water.up),
    down: metres(water.down),
  })
  // A real RTU that can't compute shows NaN too.
  return result.regime === 'bad' ? Number.NaN : result.flow
}
