import { expect, test } from 'vitest'
import { beginWay, type Verdict, watch } from './watch.ts'

const settings = { speed_m_per_min: 0.3, no_movement_s: 10, stall_s: 5 }

/** Feeds the encoder's readings, one each second, until the way has ended. */
function follow(readings: readonly number[]): { verdict: Verdict; after_s: number } {
  let way = beginWay(0, { from_m: 0.5, to_m: 0.8, at: 0 })
  for (const [i, opening_m] of readings.entries()) {
    const verdict = watch(way, { opening_m, at: (i + 1) * 1000 }, settings)
    if (verdict.kind !== 'moving') return { verdict, after_s: i + 1 }
    way = verdict.way
  }
  return { verdict: { kind: 'moving', way }, after_s: readings.length }
}
const rising = (mPerS: number, seconds = 100): number[] => Array.from({ length: seconds }, (_, i) => 0.5 + mPerS * (i + 1))

test('a leaf that reaches its target has arrived', () => {
  expect(follow(rising(0.005, 100).map((o) => Math.min(o, 0.8)))).toEqual({ verdict: { kind: 'arrived' }, after_s: 61 })
})

test('a leaf that stays where it is does not move, and that is said after ten seconds', () => {
  expect(follow(rising(0))).toEqual({ verdict: { kind: 'failed', reason: 'no_movement' }, after_s: 11 })
})

test('a leaf that goes down when it should go up is found out within its first centimetres', () => {
  expect(follow(rising(-0.004))).toEqual({ verdict: { kind: 'failed', reason: 'wrong_direction' }, after_s: 3 })
})

test('a leaf that stops on its way has stalled', () => {
  expect(follow([...rising(0.005, 20), ...Array(20).fill(0.6)]).verdict).toEqual({ kind: 'failed', reason: 'stall' })
})

test('a leaf that creeps runs out of time', () => {
  const creeping = rising(0.001, 200)
  expect(follow(creeping)).toEqual({ verdict: { kind: 'failed', reason: 'timeout' }, after_s: 101 })
})

test('a leaf that runs past its target is found out', () => {
  expect(follow([...rising(0.005, 50), 0.84]).verdict).toEqual({ kind: 'failed', reason: 'overshoot' })
})
