import fc from 'fast-check'
import { expect, test } from 'vitest'
import { afterReceipt, afterSend, type Flight, GROUNDED } from './flight.ts'

const backoff = { retry_first_ms: 1000, retry_max_ms: 8000 }

test('a batch is sent again after a wait that doubles up to the longest', () => {
  const waits: number[] = []
  let flight: Flight = { ...GROUNDED, kind: 'present' }
  for (let now = 0; waits.length < 6; now = flight.dueAt) {
    flight = afterSend(flight, now, backoff)
    waits.push(flight.dueAt - now)
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000, 8000, 8000])
})

test('a receipt shortens the others’ wait and never lengthens it', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.nat(1_000_000), fc.nat(1_000_000), (attempts, dueAt, now) => {
      const after = afterReceipt({ ...GROUNDED, kind: 'backlog', attempts, dueAt }, now, backoff)
      expect(after.dueAt).toBeLessThanOrEqual(Math.min(dueAt, now + 1000))
      expect(after.attempts).toBeLessThanOrEqual(1)
    }),
  )
})
