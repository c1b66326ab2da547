/**
 * Automatic flow holding under changing levels, beside a gate that is left alone and beside a naive on/off loop, on the same water in the same run:
 * a pool that a varying inflow fills and the gate empties, below it a level that swings. SLUICE_BENCH_HOURS of it, judged each second by the agent's own machine.
 */
import { Value } from 'typebox/value'
import { expect, test } from 'vitest'
import type { Command } from '#contract/command.ts'
import { cubicMetresPerSecond, metres } from '#contract/units.ts'
import { step } from '#edge-agent/command/machine.ts'
import { type Effect, type Event, type Machine, nothingKept, openMachine, type World } from '#edge-agent/command/machine-state.ts'
import { StructureControl } from '#edge-agent/command/settings.ts'
import { gateFlow, openingFor } from '#hydraulics/sluice-gate.ts'

const HOURS = Number(process.env['SLUICE_BENCH_HOURS'] ?? 24)
const T0 = 1_790_000_000_000
const [LEAVES, WIDTH_M, WANTED_M3S] = [2, 3, 8]
/** 5 km of a pool 12 m wide. */
const POOL_M2 = 60_000
const SPEED_M_PER_S = 0.005
const METER_NOISE = 0.01
const CONTROL = Value.Default(StructureControl, {
  leaf_width_m: WIDTH_M,
  limits: {
    ...{ lowest_opening_m: 0, highest_opening_m: 2, max_step_m: 0.5, max_difference_m: 0.5, min_interval_s: 300, max_starts_per_h: 6 },
    ...{ level_up: { lowest_m: 0.5, highest_m: 3.5 }, level_down: { lowest_m: 0.1, highest_m: 2.5 } },
  },
}) as StructureControl
const OPENING_AT_START = openingFor(cubicMetresPerSecond(WANTED_M3S / LEAVES), {
  ...{ width: metres(WIDTH_M), up: metres(2), down: metres(1.2), highest: metres(2) },
})

type Figures = { readonly meanError: number; readonly worstError: number; readonly starts: number; readonly mostInAnHour: number }

/** The water and the leaves; who moves them is given. */
class Reach {
  up = 2
  down = 1.2
  s = 0
  readonly leaves = Array.from({ length: LEAVES }, () => Number(OPENING_AT_START))
  readonly targets: (number | null)[] = Array.from({ length: LEAVES }, () => null)
  readonly starts: number[] = []
  readonly errors: number[] = []
  #seed = 7

  get flow(): number {
    return this.leaves.reduce((sum, opening) => {
      const leaf = gateFlow({ width: metres(WIDTH_M), opening: metres(opening), up: metres(this.up), down: metres(this.down) })
      if (leaf.regime === 'bad') throw new Error(`the water of the bench is no water: ${leaf.reason}`)
      return sum + leaf.flow
    }, 0)
  }
  get metered(): number {
    this.#seed = (this.#seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return this.flow * (1 + METER_NOISE * (2 * (this.#seed / 2_147_483_648) - 1))
  }
  drive(leaf: number, to: number): void {
    this.targets[leaf] = to
    this.starts.push(this.s)
  }
  second(): void {
    this.s += 1
    for (const [i, to] of this.targets.entries()) {
      const at = this.leaves[i] ?? 0
      if (to === null) continue
      this.leaves[i] = at + Math.sign(to - at) * Math.min(SPEED_M_PER_S, Math.abs(to - at))
      if (Math.abs(to - (this.leaves[i] ?? 0)) < 1e-6) this.targets[i] = null
    }
    const hour = this.s / 3600
    const inflow = WANTED_M3S + 0.8 * Math.sin((2 * Math.PI * hour) / 9) + (hour % 12 > 8 ? -0.6 : 0.3)
    this.up = Math.min(3, Math.max(1, this.up + (inflow - this.flow) / POOL_M2))
    this.down = 1.2 + 0.25 * Math.sin((2 * Math.PI * hour) / 12)
    this.errors.push(Math.abs(this.flow - WANTED_M3S) / WANTED_M3S)
  }
  figures(): Figures {
    const hours = Array.from({ length: HOURS }, (_, h) => this.starts.filter((s) => Math.floor(s / 3600) === h).length)
    return {
      meanError: this.errors.reduce((a, b) => a + b, 0) / this.errors.length,
      worstError: Math.max(...this.errors),
      starts: this.starts.length / LEAVES,
      mostInAnHour: Math.max(...hours) / LEAVES,
    }
  }
}

function leftAlone(): Figures {
  const reach = new Reach()
  for (let s = 0; s < HOURS * 3600; s++) reach.second()
  return reach.figures()
}

/** Each half minute: 5 cm up where it is too little, 5 cm down where it is too much. */
function onOff(): Figures {
  const reach = new Reach()
  for (let s = 0; s < HOURS * 3600; s++) {
    reach.second()
    if (s % 30 !== 0 || reach.targets.some((t) => t !== null)) continue
    const by = (WANTED_M3S - reach.metered) / WANTED_M3S
    if (Math.abs(by) > 0.01)
      for (const [i, at] of reach.leaves.entries()) reach.drive(i, Math.min(2, Math.max(0, at + 0.05 * Math.sign(by))))
  }
  return reach.figures()
}

function held(): Figures {
  const reach = new Reach()
  let machine: Machine = openMachine({ ...nothingKept(LEAVES), counter: 0 })
  const world = (): World => {
    const t = T0 + reach.s * 1000
    const good = (value: number) => ({ kind: 'good' as const, value, t })
    const plant = {
      ...{ mode: good(1), fault: good(0), openings: reach.leaves.map((o) => good(Math.round(o * 1000) / 1000)) },
      ...{ level_up: good(reach.up), level_down: good(reach.down), flow: good(reach.metered) },
    }
    return { now: t, elapsed: reach.s * 1000, time: 'trusted', contact: true, plant }
  }
  const take = (event: Event): void => {
    const next = step(machine, event, world(), { structure: 'yc-zh-03', control: CONTROL })
    machine = next.machine
    for (const effect of next.effects) perform(effect)
  }
  function perform(effect: Effect): void {
    if (effect.do === 'drive') reach.drive(effect.leaf, effect.to_m)
    if (effect.do === 'halt') reach.targets.fill(null)
    if (effect.do === 'drive' || effect.do === 'halt') take({ kind: 'written', token: effect.token, outcome: 'done' })
  }
  const second = (): void => {
    reach.second()
    take({ kind: 'tick' })
  }
  for (let s = 0; s < 30; s++) second()
  const now = T0 + reach.s * 1000
  const command: Command = {
    ...{
      v: 1,
      id: '00000000-0000-4000-8000-000000000001',
      area: 'yichang',
      site: 'yc-s012',
      structure: 'yc-zh-03',
      counter: 1,
      by: 'wang',
    },
    ...{ issued: now, expires: now + 30_000, action: { kind: 'hold_flow', flow_m3s: WANTED_M3S } },
  }
  take({ kind: 'command', command })
  while (reach.s < HOURS * 3600) second()
  expect(machine.kept.mode.kind).toBe('hold_flow')
  return reach.figures()
}

test('a held flow errs less than a gate left alone, with fewer starts than an on/off loop and within the limit of the motor', () => {
  const figures = { 'left alone': leftAlone(), 'on/off loop': onOff(), 'held by the agent': held() }
  for (const [who, f] of Object.entries(figures)) {
    const share = (x: number): string => `${(100 * x).toFixed(1)} %`
    process.stdout.write(
      `${who}: mean error ${share(f.meanError)}, worst ${share(f.worstError)} of ${WANTED_M3S} m³/s; ${f.starts} starts of each motor in ${HOURS} h, at most ${f.mostInAnHour} in an hour\n`,
    )
  }
  expect(figures['held by the agent'].meanError).toBeLessThan(figures['left alone'].meanError / 2)
  expect(figures['held by the agent'].starts).toBeLessThan(figures['on/off loop'].starts / 2)
  expect(figures['held by the agent'].mostInAnHour).toBeLessThanOrEqual(CONTROL.limits.max_starts_per_h)
})
