/** A gate, its hand switch, its gauges, its disk and its link, moved by the control machine through random histories; every write is judged. */
import fc from 'fast-check'
import { Value } from 'typebox/value'
import { type Command, type CommandAction, isFinal } from '#contract/command.ts'
import { step } from '#edge-agent/command/machine.ts'
import {
  type Effect,
  type Event,
  type Kept,
  type Machine,
  nothingKept,
  openMachine,
  type World,
} from '#edge-agent/command/machine-state.ts'
import type { Measured, Plant } from '#edge-agent/command/plant.ts'
import { StructureControl } from '#edge-agent/command/settings.ts'

const LEAVES = 3
const HEIGHT_M = 3
const T0 = 1_790_000_000_000

export const MODEL_SETTINGS = {
  structure: 'yj-yj-01',
  control: Value.Default(StructureControl, {
    limits: {
      lowest_opening_m: 0,
      highest_opening_m: 1.5,
      max_step_m: 0.6,
      max_difference_m: 0.3,
      min_interval_s: 20,
      max_starts_per_h: 20,
      level_up: { lowest_m: 1, highest_m: 4 },
      level_down: { lowest_m: 0.2, highest_m: 3.5 },
    },
    leaf_width_m: 4,
    stale_after_s: 10,
    settle_s: 3,
    automatic_every_s: 30,
    safe_after_s: 20,
  }) as StructureControl,
}

export type Op =
  | { readonly op: 'wait'; readonly s: number }
  | { readonly op: 'command'; readonly action: CommandAction; readonly ttl_s: number; readonly counter: 'next' | 'old' | 'repeat' }
  | { readonly op: 'switch'; readonly mode: 0 | 1 }
  | { readonly op: 'fault'; readonly bits: number }
  | { readonly op: 'gauge'; readonly name: 'level_up' | 'level_down' | 'openings' | 'mode'; readonly kind: 'good' | 'bad' | 'stale' }
  | { readonly op: 'level'; readonly up: number; readonly down: number }
  | { readonly op: 'link'; readonly up: boolean }
  | { readonly op: 'clock'; readonly time: 'trusted' | 'untrusted' }
  | { readonly op: 'leaf'; readonly trouble: 'none' | 'stuck' | 'backwards' | 'slow' }
  | { readonly op: 'writes'; readonly how: 'good' | 'lost' | 'reply lost' | 'slow' }
  | { readonly op: 'disk'; readonly full: boolean }
  | { readonly op: 'kill'; readonly after: number }

const opening = fc.integer({ min: -1, max: 20 }).map((n) => Math.max(0, n) / 10)
const moves = fc.oneof(
  fc.record({ kind: fc.constant('open' as const), opening_m: opening, leaf: fc.option(fc.integer({ min: 1, max: LEAVES })) }),
  fc.record({ kind: fc.constant('flow' as const), flow_m3s: fc.integer({ min: 0, max: 30 }) }),
  fc.record({ kind: fc.constant('hold_flow' as const), flow_m3s: fc.integer({ min: 0, max: 30 }) }),
  fc.record({ kind: fc.constant('hold_level' as const), level_up_m: fc.integer({ min: 10, max: 40 }).map((n) => n / 10) }),
)
const action: fc.Arbitrary<CommandAction> = fc.oneof(
  { weight: 8, arbitrary: moves },
  { weight: 3, arbitrary: fc.constant<CommandAction>({ kind: 'stop' }) },
  { weight: 1, arbitrary: fc.constant<CommandAction>({ kind: 'manual' }) },
  { weight: 1, arbitrary: fc.constant<CommandAction>({ kind: 'untag' }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('tag' as const),
      reason: fc.constant('repair'),
      by: fc.constant('li'),
      until: fc.integer({ min: 10, max: 300 }).map((s) => T0 + s * 1000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.record({ at: fc.integer({ min: 5, max: 600 }).map((s) => T0 + s * 1000), action: moves }), { maxLength: 3 })
      .map((presets): CommandAction => ({ kind: 'schedule', presets })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('limits' as const), limits: fc.record({ highest_opening_m: fc.constantFrom(0.4, 0.9, 2) }) }),
  },
)
export const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ op: fc.constant('wait' as const), s: fc.integer({ min: 1, max: 40 }) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      op: fc.constant('command' as const),
      action,
      ttl_s: fc.constantFrom(-1, 0, 2, 30, 30, 30),
      counter: fc.constantFrom('next' as const, 'next' as const, 'next' as const, 'old' as const, 'repeat' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('switch' as const), mode: fc.constantFrom(0 as const, 1 as const, 1 as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('fault' as const), bits: fc.constantFrom(0, 0, 8, 0x80000000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('gauge' as const),
      name: fc.constantFrom('level_up' as const, 'level_down' as const, 'openings' as const, 'mode' as const),
      kind: fc.constantFrom('good' as const, 'good' as const, 'bad' as const, 'stale' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('level' as const),
      up: fc.integer({ min: 8, max: 42 }).map((n) => n / 10),
      down: fc.integer({ min: 1, max: 36 }).map((n) => n / 10),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('link' as const), up: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('clock' as const),
      time: fc.constantFrom('trusted' as const, 'trusted' as const, 'untrusted' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('leaf' as const),
      trouble: fc.constantFrom('none' as const, 'none' as const, 'stuck' as const, 'backwards' as const, 'slow' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('writes' as const),
      how: fc.constantFrom('good' as const, 'good' as const, 'lost' as const, 'reply lost' as const, 'slow' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('disk' as const), full: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('kill' as const), after: fc.integer({ min: 0, max: 4 }) }) },
)

type Motor = { readonly to: number }

/** Runs a history. @throws Error with the rule that was broken. @returns the machine's steps, and how many moves it made. */
export function runHistory(ops: readonly Op[]): { steps: number; drives: number; ended: Record<string, number> } {
  const model = new Model()
  for (const o of ops) model.apply(o)
  model.settle()
  return { steps: model.steps, drives: model.drives, ended: model.ended }
}

class Model {
  steps = 0
  drives = 0
  readonly ended: Record<string, number> = {}
  #s = 0
  #machine: Machine
  #disk: Kept
  readonly #leaves = Array.from({ length: LEAVES }, () => 0.5)
  readonly #motors: (Motor | null)[] = Array.from({ length: LEAVES }, () => null)
  #mode: 0 | 1 = 1
  #fault = 0
  readonly #gauge: Record<'level_up' | 'level_down' | 'openings' | 'mode', 'good' | 'bad' | 'stale'> = {
    level_up: 'good',
    level_down: 'good',
    openings: 'good',
    mode: 'good',
  }
  #up = 2.5
  #down = 1.5
  #contact = true
  #time: World['time'] = 'trusted'
  #trouble: 'none' | 'stuck' | 'backwards' | 'slow' = 'none'
  #writes: 'good' | 'lost' | 'reply lost' | 'slow' = 'good'
  #full = false
  #killAfter: number | null = null
  #issued = 0
  readonly #sent: Command[] = []
  readonly #pending: { readonly effect: Effect; readonly due: number }[] = []
  /** Commands and presets whose first write went out, with the life of the agent in which it did. */
  readonly #driven = new Map<string, number>()
  readonly #over = new Set<string>()
  #life = 0
  #stopping = false
  #highestDriven = 0

  constructor() {
    this.#disk = { ...nothingKept(LEAVES), counter: 0 }
    this.#machine = openMachine(structuredClone(this.#disk))
    for (let i = 0; i < 5; i++) this.#second()
  }

  apply(o: Op): void {
    switch (o.op) {
      case 'wait':
        for (let i = 0; i < o.s; i++) this.#second()
        return
      case 'command':
        this.#command(o)
        return
      case 'switch':
        this.#mode = o.mode
        // The hand switch cuts the controller off, by wire.
        if (o.mode === 0) this.#motors.fill(null)
        return
      case 'fault':
        this.#fault = o.bits
        return
      case 'gauge':
        this.#gauge[o.name] = o.kind
        return
      case 'level':
        this.#up = o.up
        this.#down = o.down
        return
      case 'link':
        this.#contact = o.up
        return
      case 'clock':
        this.#time = o.time
        return
      case 'leaf':
        this.#trouble = o.trouble
        return
      case 'writes':
        this.#writes = o.how
        return
      case 'disk':
        this.#full = o.full
        return
      case 'kill':
        this.#killAfter = o.after
    }
  }

  /** All troubles over: what was begun must end, and be told. */
  settle(): void {
    this.#writes = 'good'
    this.#trouble = 'none'
    this.#full = false
    this.#mode = 1
    for (const name of ['level_up', 'level_down', 'openings', 'mode'] as const) this.#gauge[name] = 'good'
    for (let i = 0; i < 900; i++) this.#second()
    const open = this.#machine.kept.records.filter((r) => !isFinal(r.state))
    if (open.length > 0 && open.some((r) => !r.id.startsWith('automatic'))) throw new Error(`never ended: ${JSON.stringify(open)}`)
  }

  #command(o: Extract<Op, { op: 'command' }>): void {
    const again = this.#sent.at(-1)
    if (o.counter === 'repeat' && again) {
      this.#step({ kind: 'command', command: again })
      return
    }
    if (o.counter === 'next') this.#issued += 1
    const now = this.#now()
    const command: Command = {
      v: 1,
      id: `00000000-0000-4000-8000-${String(this.#sent.length).padStart(12, '0')}`,
      area: 'yongji',
      site: 'yj-s001',
      structure: MODEL_SETTINGS.structure,
      counter: Math.max(1, o.counter === 'old' ? this.#issued - 1 : this.#issued),
      issued: now,
      expires: Math.max(0, now + o.ttl_s * 1000),
      by: 'wang',
      action: o.action,
    }
    this.#sent.push(command)
    this.#send(command)
  }

  #send(command: Command): void {
    const life = this.#life
    this.#step({ kind: 'command', command })
    if (command.action.kind === 'stop' && this.#mode === 1 && life === this.#life) {
      const record = this.#machine.kept.records.find((r) => r.id === command.id)
      if (record?.state === 'accepted' && !this.#machine.halting) throw new Error('a stop was accepted and nothing is being stopped')
      if (record?.state === 'refused' && record.reason !== 'old_counter') throw new Error(`a stop was refused: ${record.reason}`)
    }
  }

  #now = (): number => T0 + this.#s * 1000

  #second(): void {
    this.#s += 1
    this.#move()
    for (const p of this.#pending.splice(0)) {
      if (p.due > this.#s) this.#pending.push(p)
      else this.#perform(p.effect)
    }
    this.#step({ kind: 'tick' })
  }

  #move(): void {
    for (const [i, motor] of this.#motors.entries()) {
      if (!motor) continue
      const at = this.#leaves[i] ?? 0
      const speed = this.#trouble === 'stuck' ? 0 : this.#trouble === 'slow' ? 0.0015 : 0.006
      const way = motor.to - at
      const by = Math.min(Math.abs(way), speed) * Math.sign(way) * (this.#trouble === 'backwards' ? -1 : 1)
      this.#leaves[i] = Math.max(0, Math.min(HEIGHT_M, at + by))
      if (Math.abs(motor.to - (this.#leaves[i] ?? 0)) < 1e-6) this.#motors[i] = null
    }
  }

  #world(): World {
    const t = this.#now()
    const read = (kind: 'good' | 'bad' | 'stale', value: number): Measured => (kind === 'good' ? { kind, value, t } : { kind })
    const g = this.#gauge
    const plant: Plant = {
      mode: read(g.mode, this.#mode),
      fault: read('good', this.#fault),
      openings: this.#leaves.map((o) => read(g.openings, o)),
      level_up: read(g.level_up, this.#up),
      level_down: read(g.level_down, this.#down),
      flow: { kind: 'bad' },
    }
    return { now: t, elapsed: this.#s * 1000, time: this.#time, contact: this.#contact, plant }
  }

  #step(event: Event): void {
    this.steps += 1
    const { machine, effects } = step(this.#machine, event, this.#world(), MODEL_SETTINGS)
    this.#machine = machine
    for (const [i, effect] of effects.entries()) {
      if (this.#killAfter !== null && i >= this.#killAfter) {
        this.#kill()
        return
      }
      if (effect.do === 'keep') {
        if (this.#full) {
          // What follows is not done, but for the halt that stands before it.
          this.#step({ kind: 'not_kept' })
          return
        }
        this.#disk = structuredClone(machine.kept)
      } else if (effect.do === 'report') {
        const { id, state } = effect.report
        if (isFinal(state)) {
          this.#over.add(id)
          const how = 'reason' in effect.report ? `${state} ${effect.report.reason}` : state
          this.ended[how] = (this.ended[how] ?? 0) + 1
        }
        if (this.#machine.halting === null) this.#stopping = false
      } else if (effect.do === 'drive' || effect.do === 'halt') {
        if (effect.do === 'halt') this.#stopping = true
        if (this.#writes === 'slow') this.#pending.push({ effect, due: this.#s + 4 })
        else this.#perform(effect)
      }
    }
    if (machine.halting === null) this.#stopping = false
  }

  #kill(): void {
    this.#killAfter = null
    this.#life += 1
    this.#pending.length = 0
    this.#machine = openMachine(structuredClone(this.#disk))
    this.#stopping = false
  }

  #perform(effect: Effect): void {
    if (effect.do !== 'drive' && effect.do !== 'halt') return
    // The shell asks at the last moment whether the write is still wanted: by then a stop may have come, or the expiry.
    const { active, halting } = this.#machine
    const wanted = effect.do === 'halt' ? halting?.token === effect.token : active?.token === effect.token
    if (!wanted) return
    if (effect.do === 'drive' && effect.notAfter !== null && this.#now() >= effect.notAfter) {
      this.#step({ kind: 'written', token: effect.token, outcome: 'too_late' })
      return
    }
    if (this.#writes !== 'lost') this.#reach(effect)
    this.#step({
      kind: 'written',
      token: effect.token,
      outcome: this.#writes === 'lost' || this.#writes === 'reply lost' ? 'failed' : 'done',
    })
  }

  /** The order reaches the controller: here every rule is checked. */
  #reach(effect: Extract<Effect, { do: 'drive' | 'halt' }>): void {
    if (effect.do === 'halt') {
      this.#motors.fill(null)
      return
    }
    this.drives += 1
    const { active, kept } = this.#machine
    const mover = active?.mover
    const rule = (broken: boolean, text: string): void => {
      if (broken) throw new Error(`${text}: ${JSON.stringify({ effect, mover, at: this.#s, disk: this.#disk.counter })}`)
    }
    rule(!mover, 'a leaf is driven for nobody')
    if (!mover) return
    rule(this.#gauge.mode === 'good' && this.#mode === 0, 'driven while the hand switch is on local')
    rule(
      this.#motors.some((m) => m !== null),
      'two leaves move at once',
    )
    rule(this.#stopping, 'driven while a stop is under way')
    rule(kept.tag !== null, 'driven while tagged out')
    const { limits } = MODEL_SETTINGS.control
    rule(effect.to_m < limits.lowest_opening_m - 1e-9 || effect.to_m > limits.highest_opening_m + 1e-9, 'driven outside the limits')
    const from = this.#leaves[effect.leaf] ?? 0
    rule(Math.abs(effect.to_m - from) > limits.max_step_m + 0.02, 'driven further than a step')
    const others = this.#leaves.filter((_, i) => i !== effect.leaf)
    const apart = Math.max(...others.map((o) => Math.abs(o - effect.to_m)))
    const before = Math.max(...this.#leaves) - Math.min(...this.#leaves)
    rule(apart > Math.max(limits.max_difference_m, before) + 0.02, 'leaves too far apart')
    rule(this.#over.has(mover.id), 'driven after its end was told')
    rule(!this.#disk.records.some((r) => r.id === mover.id), 'driven before it was on the disk')
    const life = this.#driven.get(mover.id)
    rule(life !== undefined && life !== this.#life, 'driven again after a restart')
    if (life === undefined && mover.by === 'command') {
      const command = this.#sent.find((c) => c.id === mover.id)
      rule(!command, 'driven for a command that nobody sent')
      rule(command !== undefined && this.#now() >= command.expires, 'driven after its expiry')
      rule(mover.counter <= this.#highestDriven, 'driven for an older command after a newer one')
      this.#highestDriven = Math.max(this.#highestDriven, mover.counter)
    }
    this.#driven.set(mover.id, this.#life)
    this.#motors[effect.leaf] = { to: effect.to_m }
  }
}
