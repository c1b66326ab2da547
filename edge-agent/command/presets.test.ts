import { expect, test } from 'vitest'
import { type Command, type CommandAction, type ControlStatus, decodeStatus, encodeStatus, type Preset } from '#contract/command.ts'
import { MODEL_SETTINGS } from '#test/support/command-model.ts'
import { step } from './machine.ts'
import { type Effect, type Event, type Machine, nothingKept, openMachine, type World } from './machine-state.ts'
import type { Measured } from './plant.ts'

const T0 = 1_790_000_000_000
const MINUTE_MS = 60_000

/** One gate of one leaf that goes where it is driven within a second, at an agent whose link can be down. */
class Gatehouse {
  contact = true
  mode = 1
  s = 0
  opening = 0.5
  status: ControlStatus | undefined
  drives: number[] = []
  #counter = 0
  #machine: Machine = openMachine({ ...nothingKept(1), counter: 0 })

  get now(): number {
    return T0 + this.s * 1000
  }

  world(): World {
    const good = (value: number): Measured => ({ kind: 'good', value, t: this.now })
    const levels = { level_up: good(2.5), level_down: good(1.5), flow: { kind: 'bad' } as const }
    const plant = { mode: good(this.mode), fault: good(0), openings: [good(this.opening)], ...levels }
    return { now: this.now, elapsed: this.s * 1000, time: 'trusted', contact: this.contact, plant }
  }

  give(event: Event): void {
    const { machine, effects } = step(this.#machine, event, this.world(), MODEL_SETTINGS)
    this.#machine = machine
    for (const effect of effects) this.#carryOut(effect)
  }

  #carryOut(effect: Effect): void {
    if (effect.do === 'status') this.status = decodeStatus(encodeStatus(effect.status)) ?? undefined
    if (effect.do === 'drive') {
      this.drives.push(effect.to_m)
      this.opening = effect.to_m
    }
    if (effect.do === 'drive' || effect.do === 'halt') this.give({ kind: 'written', token: effect.token, outcome: 'done' })
  }

  command(action: CommandAction): void {
    this.#counter += 1
    const id = `00000000-0000-4000-8000-${String(this.#counter).padStart(12, '0')}`
    const to = { area: 'yongji', site: 'yj-s001', structure: MODEL_SETTINGS.structure, by: 'wang' }
    const command: Command = { v: 1, id, ...to, counter: this.#counter, issued: this.now, expires: this.now + 30_000, action }
    this.give({ kind: 'command', command })
  }

  wait(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.s += 1
      this.give({ kind: 'tick' })
    }
  }

  /** The agent ends and begins anew, with what it had kept. */
  restart(): void {
    this.#machine = openMachine(structuredClone(this.#machine.kept))
    this.wait(5)
  }

  get past(): string[] {
    return (this.status?.past ?? []).map((p) => [(p.at - T0) / MINUTE_MS, p.state, p.reason].filter((x) => x !== null).join(' '))
  }
}

const at = (minute: number, action: Preset['action']): Preset => ({ at: T0 + minute * MINUTE_MS, action })
const open = (opening_m: number): Preset['action'] => ({ kind: 'open', opening_m, leaf: null })

test('presets are carried out by the agent’s own clock while the link is down, and what came of each is read back afterwards', () => {
  const house = new Gatehouse()
  house.wait(5)
  house.command({ kind: 'schedule', presets: [at(20, { kind: 'hold_level', level_up_m: 2.5 }), at(2, open(0.7)), at(10, open(1.4))] })
  expect(house.status?.presets.map((p) => (p.at - T0) / MINUTE_MS)).toEqual([2, 10, 20])
  house.contact = false
  house.wait(3 * 60)
  expect([house.drives, house.past]).toEqual([[0.7], ['2 done']])
  house.restart()
  house.wait(8 * 60)
  // 0.7 m in one step is more than this leaf may go.
  expect([house.drives, house.past]).toEqual([[0.7], ['2 done', '10 refused step_too_long']])
  house.wait(10 * 60)
  expect(house.past).toEqual(['2 done', '10 refused step_too_long', '20 done'])
  expect(house.status).toMatchObject({ mode: { kind: 'hold_level', level_up_m: 2.5 }, presets: [] })
})

test('a preset that could not be carried out for more than ten minutes is over, and says so', () => {
  const house = new Gatehouse()
  house.wait(5)
  house.command({ kind: 'schedule', presets: [at(2, open(0.7)), at(4, open(0.6))] })
  house.s += 13 * 60
  house.wait(5)
  expect([house.drives, house.past]).toEqual([[0.6], ['2 expired', '4 done']])
})

test('a stop cancels the presets, and each of them says so', () => {
  const house = new Gatehouse()
  house.wait(5)
  house.command({ kind: 'schedule', presets: [at(2, open(0.7)), at(4, { kind: 'manual' })] })
  house.command({ kind: 'stop' })
  house.wait(5 * 60)
  expect([house.drives, house.past, house.status?.presets]).toEqual([[], ['2 failed stopped', '4 failed stopped'], []])
})
