import fc from 'fast-check'
import { expect, test } from 'vitest'
import { due, GAP_MS, markSent, nothingOwed, sees } from './batching.ts'

const at = (gate: string, area: string) => ({ gate, area })
const everything = { gates: null, areas: null }

test('nothing asked for means every gate that the person may see', () => {
  expect(sees(everything, 'district', at('g1', 'yichang'))).toBe(true)
  expect(sees(everything, new Set(['yichang']), at('g1', 'yichang'))).toBe(true)
  expect(sees(everything, new Set(['yichang']), at('g2', 'wulanbuhe'))).toBe(false)
})

test('asking for a gate or an area never shows more than the person may see', () => {
  const area = fc.constantFrom('yichang', 'wulanbuhe', 'jiefangzha')
  const gate = fc.constantFrom('g1', 'g2', 'g3')
  const some = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<ReadonlySet<T> | null> => fc.option(fc.array(of).map((a) => new Set(a)))
  fc.assert(
    fc.property(some(gate), some(area), fc.array(area), gate, area, (gates, areas, allowed, g, a) => {
      const reach = new Set(allowed)
      const seen = sees({ gates, areas }, reach, at(g, a))
      if (seen) expect(reach.has(a)).toBe(true)
      if (seen && gates !== null && !gates.has(g)) expect(areas?.has(a)).toBe(true)
    }),
  )
})

test('however often things change, a client is sent at most two messages in any second and ends with nothing owed', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ wait: fc.nat(300), gate: fc.constantFrom('a', 'b', 'c'), writable: fc.boolean() })), (steps) => {
      const owed = nothingOwed()
      const sent: number[] = []
      let now = 0
      const tick = (writable: boolean): void => {
        if (due(owed, now, { writable }) === 'nothing') return
        markSent(owed, now)
        sent.push(now)
      }
      for (const { wait, gate, writable } of steps) {
        now += wait
        owed.gates.add(gate)
        tick(writable)
      }
      for (const [i, t] of sent.entries()) if (i >= 1) expect(t - (sent[i - 1] ?? 0)).toBeGreaterThanOrEqual(GAP_MS)
      now += GAP_MS
      tick(true)
      expect(owed.gates.size).toBe(0)
      expect(due(owed, now + GAP_MS, { writable: true })).toBe('nothing')
    }),
  )
})

test('a client that does not read is owed each gate once', () => {
  const owed = nothingOwed()
  for (let i = 0; i < 10_000; i++) {
    owed.gates.add(`g${i % 7}`)
    expect(due(owed, i * 100, { writable: false })).toBe('nothing')
  }
  expect(owed.gates.size).toBe(7)
  expect(due(owed, 2_000_000, { writable: true })).toBe('changes')
})
