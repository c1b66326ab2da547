import { expect, test } from 'vitest'
import { bad, good, type Reading } from '#contract/reading.ts'
import type { WriteOutcome } from '../modbus/bus.ts'
import { obstacleTo, runStroke } from './stroke.ts'

type Told = { order: string; setpoint_mm: number }
/** A leaf that moves so many metres in each look, at a clock that only its looks turn. */
function gate(options: {
  step_m: number
  mode?: Reading
  fault?: Reading
  blindAfter?: number
  outcome?: WriteOutcome
  handAfter?: number
}) {
  const told: Told[] = []
  let [opening, elapsed, looks, going] = [1, 0, 0, false]
  const read = async (): Promise<ReadonlyMap<string, Reading>> => {
    looks += 1
    if (going) opening += options.step_m
    const blind = options.blindAfter !== undefined && looks > options.blindAfter
    const hand = options.handAfter !== undefined && looks > options.handAfter
    return new Map([
      ['opening', blind ? bad('timeout') : good(opening)],
      ['mode', hand ? good(0) : (options.mode ?? good(1))],
      ['fault', options.fault ?? good(0)],
      ['moving', good(0)],
    ])
  }
  const drive = {
    order: async (o: Told): Promise<WriteOutcome> => {
      told.push(o)
      going = o.order === 'go' && (options.outcome?.kind ?? 'written') === 'written'
      return o.order === 'go' ? (options.outcome ?? { kind: 'written' }) : { kind: 'written' }
    },
  }
  const pause = async (ms: number): Promise<void> => {
    elapsed += ms
  }
  const stroke = (signal = new AbortController().signal) =>
    runStroke(
      { drive, read, metric: 'opening', now: () => 1_790_000_000_000, elapsed: () => elapsed, pause },
      { leaf: 1, to_m: 1.2, signal, progress: () => undefined },
    )
  return { stroke, orders: () => told.map((o) => o.order) }
}

test('a leaf that arrives has its travel time, and is not told to stop', async () => {
  const g = gate({ step_m: 0.01 })
  expect(await g.stroke()).toMatchObject({ end: 'arrived', from_m: 1, travel_s: 10 })
  expect(g.orders()).toEqual(['go'])
})

test('with the hand switch on local, in automatic mode, with a fault or without a mode nothing is ever written', async () => {
  for (const wrong of [{ mode: good(0) }, { mode: good(2) }, { mode: bad('timeout') }, { fault: good(16) }, { fault: bad('timeout') }]) {
    const g = gate({ step_m: 0.01, ...wrong })
    expect(await g.stroke()).toMatchObject({ end: 'refused' })
    expect(g.orders()).toEqual([])
  }
})

test('a leaf that does not move, one that sticks on its way, and one whose position is lost are told to stop', async () => {
  for (const [options, end] of [
    [{ step_m: 0 }, 'no_movement'],
    [{ step_m: 0.01, blindAfter: 5 }, 'lost'],
  ] as const) {
    const g = gate(options)
    expect(await g.stroke()).toMatchObject({ end })
    expect(g.orders()).toEqual(['go', 'stop'])
  }
})

test('a hand at the gate ends it', async () => {
  const g = gate({ step_m: 0.005, handAfter: 6 })
  expect(await g.stroke()).toMatchObject({ end: 'stopped' })
  expect(g.orders()).toEqual(['go', 'stop'])
})

test('a write of which nobody knows whether it was carried out is followed by a stop', async () => {
  const g = gate({ step_m: 0, outcome: { kind: 'unknown', reason: 'timeout' } })
  expect(await g.stroke()).toMatchObject({ end: 'refused' })
  expect(g.orders()).toEqual(['go', 'stop'])
})

test('an opening that can not be read forbids a move', () => {
  const readings = new Map([
    ['mode', good(1)],
    ['fault', good(0)],
    ['opening', bad('timeout')],
  ] as const)
  expect(obstacleTo(readings, 'opening')).toBe('opening_unknown')
})
