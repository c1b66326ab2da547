import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deedsIn, ORDER_DEEDS, ORDER_STATES, type OrderDeed, type OrderState, orderAfter, timingOf, UNANSWERED_MS } from './order.ts'

const deeds = fc.array(fc.constantFrom(...ORDER_DEEDS), { maxLength: 40 })
/** What becomes of a draft when people press these, one after another. */
function livedBy(pressed: readonly OrderDeed[]): OrderState[] {
  const states: OrderState[] = ['draft']
  for (const deed of pressed) {
    const next = orderAfter(states.at(-1) ?? 'draft', deed)
    if (next) states.push(next)
  }
  return states
}
const WAY: readonly OrderState[] = ['draft', 'reviewed', 'issued', 'received', 'executing', 'done', 'feedback', 'closed']

test('whatever is pressed, an order goes its way step by step, or is cancelled before it was carried out', () => {
  fc.assert(
    fc.property(deeds, (pressed) => {
      const states = livedBy(pressed)
      const way = states.filter((s) => s !== 'cancelled')
      expect(way).toEqual(WAY.slice(0, way.length))
      expect(states.slice(0, -1)).not.toContain('cancelled')
      if (states.at(-1) === 'cancelled') expect(way).not.toContain('done')
    }),
    { numRuns: 2000 },
  )
})

test('every state can be reached, and nothing follows on closed and cancelled alone', () => {
  const reached = new Set<OrderState>(['draft'])
  for (const state of reached) for (const deed of deedsIn(state)) reached.add(orderAfter(state, deed) ?? state)
  expect([...reached].sort()).toEqual([...ORDER_STATES].sort())
  expect(ORDER_STATES.filter((s) => deedsIn(s).length === 0)).toEqual(['closed', 'cancelled'])
})

test('an order is late only when its effect could have come, and never once it was carried out', () => {
  const times = fc.record({
    state: fc.constantFrom(...ORDER_STATES),
    effectiveAt: fc.integer({ min: 0, max: 10_000_000 }),
    travelMs: fc.integer({ min: 0, max: 10_000_000 }),
    issuedAt: fc.option(fc.integer({ min: 0, max: 10_000_000 })),
  })
  fc.assert(
    fc.property(times, fc.integer({ min: 0, max: 30_000_000 }), (order, now) => {
      const timing = timingOf(order, now)
      const open = WAY.slice(0, 5).includes(order.state)
      expect(timing === 'ended').toBe(!open)
      expect(timing === 'overdue').toBe(open && now > order.effectiveAt + order.travelMs)
      if (timing === 'unanswered') {
        expect(order.state).toBe('issued')
        expect(now - (order.issuedAt ?? now)).toBeGreaterThan(UNANSWERED_MS)
      }
    }),
    { numRuns: 2000 },
  )
})
