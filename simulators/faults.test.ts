import { expect, test } from 'vitest'
import { unixMs } from '#contract/units.ts'
import { type FaultOrder, parseOrder } from './faults/order.ts'
import { Faults, ofKind, phaseOf } from './faults.ts'

const t0 = 1_750_000_000_000
const at = (seconds: number) => unixMs(t0 + seconds * 1000)
const order = (o: object): FaultOrder => parseOrder({ site: 'a', ...o }, { place: 'test', code: 'CONFIG_INVALID' })
const kinds = (faults: Faults, unit: number, seconds: number, site = 'a'): string[] =>
  faults.strike({ site, unit }, at(seconds)).map((f) => f.order.kind)

test('a fault strikes its device from its beginning until its end, and no other', () => {
  const faults = new Faults(1)
  const fault = faults.add(order({ kind: 'frozen', unit: 2, at_s: 10, for_s: 20 }), at(0))
  expect([9.999, 10, 29.999, 30].map((s) => kinds(faults, 2, s))).toEqual([[], ['frozen'], ['frozen'], []])
  expect([9, 10, 30].map((s) => phaseOf(fault, at(s)))).toEqual(['waiting', 'active', 'over'])
  expect([kinds(faults, 1, 15), kinds(faults, 2, 15, 'b')]).toEqual([[], []])
})

test('without a unit every device of the site is struck, and without an end it lasts until it is removed', () => {
  const faults = new Faults(1)
  const { id } = faults.add(order({ kind: 'merged' }), at(5))
  faults.add(order({ kind: 'frozen' }), at(5))
  expect([kinds(faults, 1, 1e6), kinds(faults, 9, 1e6)]).toEqual([
    ['merged', 'frozen'],
    ['merged', 'frozen'],
  ])
  expect([faults.remove(id), faults.remove(id)]).toEqual([true, false])
  expect(kinds(faults, 1, 1e6)).toEqual(['frozen'])
  faults.clear()
  expect(faults.all()).toEqual([])
})

test('a share of the requests is struck, the same ones for the same seed', () => {
  const struck = (seed: number): boolean[] => {
    const faults = new Faults(seed)
    faults.add(order({ kind: 'no_answer', share: 0.3 }), at(0))
    return Array.from({ length: 1000 }, (_, s) => kinds(faults, 1, s).length === 1)
  }
  const first = struck(1)
  expect(first.filter(Boolean).length).toBeGreaterThan(240)
  expect(first.filter(Boolean).length).toBeLessThan(360)
  expect(struck(1)).toEqual(first)
  expect(struck(2)).not.toEqual(first)
})

test('a device that has rebooted does not know the connections from before, long after too', () => {
  const faults = new Faults(1)
  faults.add(order({ kind: 'reboot', unit: 1, at_s: 100, for_s: 10 }), at(0))
  const lost = (connected: number, now: number, unit = 1): boolean =>
    faults.rebootedSince({ site: 'a', unit }, { connected: at(connected), t: at(now) })
  expect([lost(50, 99), lost(50, 100), lost(50, 5000)]).toEqual([false, true, true])
  expect([lost(100, 105), lost(105, 5000), lost(50, 105, 2)]).toEqual([false, false, false])
})

test('faults are told apart by kind', () => {
  const faults = new Faults(1)
  faults.add(order({ kind: 'late', delay_ms: 70 }), at(0))
  faults.add(order({ kind: 'merged' }), at(0))
  const struck = faults.strike({ site: 'a', unit: 1 }, at(1))
  expect(ofKind(struck, 'late').map((f) => f.order.delay_ms)).toEqual([70])
  expect(ofKind(struck, 'late', 'merged')).toHaveLength(2)
  expect(ofKind(struck, 'split')).toEqual([])
})
