import { expect, test } from 'vitest'
import { good } from '#contract/reading.ts'
import type { VerdictRule } from '#contract/verdict-rule.ts'
import { Analysis, type Settled } from '../analysis.ts'
import { CHECK, sample, T0 } from '../testing/structure.ts'
import { type Beside, judge } from './judge.ts'

const MINUTE = 60_000
const RULE: VerdictRule = {
  hard: [0, 10],
  soft: [1, 5],
  soft_by_month: { 1: [0.5, 2] },
  rise_per_min: 0.1,
  fall_per_min: 0.05,
  frozen_min: 60,
  spike: 0.4,
  derived_share: 0.3,
  neighbour: { gate: 'other', metric: 'level_down', most: 0.2 },
}
const cause = (value: number, beside: Partial<Beside> = {}): string | undefined => {
  const verdict = judge({ t: T0, value }, RULE, { month: 7, ...beside })
  return verdict && `${verdict.level} ${verdict.cause}`
}
const ago = (minutes: number, value: number) => ({ t: T0 - minutes * MINUTE, value })

test('beyond a hard limit a value is unreliable, beyond a soft one doubtful, and January has its own', () => {
  expect([cause(10.1), cause(-0.1), cause(5.5), cause(3)]).toEqual([
    'unreliable hard_limit',
    'unreliable hard_limit',
    'doubtful soft_limit',
    undefined,
  ])
  expect([cause(3, { month: 1 }), cause(0.7, { month: 1 })]).toEqual(['doubtful soft_limit', undefined])
})

test('a canal neither rises nor falls faster than its rule says, whatever the step between two readings', () => {
  expect(cause(3.3, { before: ago(2, 3) })).toBe('doubtful rate_of_rise')
  expect(cause(3.3, { before: ago(10, 3) })).toBeUndefined()
  expect(cause(3, { before: ago(2, 3.2) })).toBe('doubtful rate_of_fall')
  // Two readings a second apart differ by noise, not by a rate.
  expect(cause(3.02, { before: { t: T0 - 1000, value: 3 } })).toBeUndefined()
})

test('a value that stands out from both its neighbours is a spike; a step that stays is none', () => {
  const after = { t: T0 + MINUTE, value: 3.05 }
  expect(cause(4, { before: ago(1, 3), after })).toBe('unreliable spike')
  expect(cause(4, { before: ago(60, 3), after: { t: T0 + MINUTE, value: 4.02 } })).toBeUndefined()
})

test('not one digit changed for an hour, far from its neighbour, and a meter that the levels contradict are doubtful', () => {
  expect(cause(3, { sameSince: T0 - 60 * MINUTE })).toBe('doubtful frozen')
  expect(cause(3, { sameSince: T0 - 59 * MINUTE })).toBeUndefined()
  expect(cause(3, { neighbour: 3.3 })).toBe('doubtful neighbour')
  expect(cause(3, { derived: { value: 5, plusMinus: 0.7 } })).toBe('doubtful derived_flow')
  expect(cause(3, { derived: { value: 5, plusMinus: 2.5 } })).toBeUndefined()
})

const settled: Settled = { methods: () => [], rule: () => undefined, isNeighbour: () => false, gate: () => CHECK }

test('a spike is doubtful when it comes, unreliable once the next reading is there, and the flow derived from it turns BAD', () => {
  const analysis = new Analysis(settled)
  const at = (n: number, up: number) =>
    analysis.take(
      CHECK,
      [
        sample('level_up', n * MINUTE, good(up)),
        sample('level_down', n * MINUTE, good(1.2)),
        sample('opening', n * MINUTE, good(0.4)),
        sample('opening_2', n * MINUTE, good(0.4)),
      ],
      3 * MINUTE,
    )
  const verdictOf = (taken: ReturnType<typeof at>) => taken.samples.find((s) => s.metric === 'level_up')?.verdict
  expect(verdictOf(at(0, 2))).toBeUndefined()
  expect(verdictOf(at(1, 2.9))).toEqual({ level: 'doubtful', cause: 'rate_of_rise' })
  const next = at(2, 2.01)
  expect(verdictOf(next)).toBeUndefined()
  const told = next.follows.map((s) => [s.metric, (s.t - T0) / MINUTE, s.reading.quality, s.verdict?.level])
  expect(told).toEqual([
    ['level_up', 1, 'good', 'unreliable'],
    ['flow_derived', 1, 'bad', undefined],
    ['flow_derived', 2, 'good', undefined],
  ])
})

test('a meter beside the gate is compared with the derived flow of the same moment', () => {
  const analysis = new Analysis(settled)
  const levels = [
    sample('level_up', 0, good(2)),
    sample('level_down', 0, good(1.5)),
    sample('opening', 0, good(0.5)),
    sample('opening_2', 0, good(0.5)),
  ]
  const taken = analysis.take(CHECK, [...levels, sample('flow', 0, good(20))], MINUTE)
  expect(taken.samples.at(-1)?.verdict).toEqual({ level: 'doubtful', cause: 'derived_flow' })
  expect(analysis.take(CHECK, [sample('flow', 1000, good(9.6))], MINUTE).samples[0]?.verdict).toBeUndefined()
})

test('a sensor that gives one value for a day is frozen, and late readings do not thaw it', () => {
  const analysis = new Analysis(settled)
  const level = (hours: number, value: number) =>
    analysis.take(CHECK, [sample('level_down', hours * 60 * MINUTE, good(value))], 120 * MINUTE)
  for (let h = 0; h < 24; h++) expect(level(h, 1.5).samples[0]?.verdict).toBeUndefined()
  expect(level(3.5, 1.6).samples[0]?.verdict).toBeUndefined()
  expect(level(24, 1.5).samples[0]?.verdict).toEqual({ level: 'doubtful', cause: 'frozen' })
  expect(level(25, 1.51).samples[0]?.verdict).toBeUndefined()
})

test('a neighbour’s metric that no rule of its own asks for is held against all the same', () => {
  const rule: VerdictRule = { neighbour: { gate: CHECK.id, metric: 'velocity', most: 0.2 } }
  const analysis = new Analysis({
    ...settled,
    rule: (_gate, metric) => (metric === 'opening' ? rule : undefined),
    isNeighbour: (metric) => metric === 'velocity',
  })
  analysis.take(CHECK, [sample('velocity', 0, good(1))], 3 * MINUTE)
  const [near, far] = analysis.take(CHECK, [sample('opening', 1000, good(1.1)), sample('opening', 2000, good(1.5))], 3 * MINUTE).samples
  expect([near?.verdict, far?.verdict]).toEqual([undefined, { level: 'doubtful', cause: 'neighbour' }])
})

test('a spike that a late reading explains is one no more, and that is written over what was stored', () => {
  const analysis = new Analysis(settled)
  const level = (t: number, value: number) => analysis.take(CHECK, [sample('level_down', t, good(value))], 10 * MINUTE)
  level(0, 1)
  level(2 * MINUTE, 1.9)
  expect(level(4 * MINUTE, 1).follows).toMatchObject([{ t: T0 + 2 * MINUTE, verdict: { cause: 'spike' } }])
  const [anew] = level(3 * MINUTE, 1.9).follows
  expect([anew?.t, anew?.verdict, anew?.rewrites]).toEqual([T0 + 2 * MINUTE, undefined, true])
})
