import { expect, test } from 'vitest'
import { mayTrickle, observed, type Throughput, UNKNOWN } from './throughput.ts'

const after = (bytes: number, ms: number): Throughput =>
  Array.from({ length: 30 }).reduce<Throughput>((t) => observed(t, bytes, ms), UNKNOWN)

test('over 2.5G one batch of the backlog is on its way at a time, over a fast line as many as the window takes', () => {
  const gprs = after(4500, 3600)
  expect(mayTrickle(gprs, { batches: 0, bytes: 0 }, 2000)).toBe(true)
  expect(mayTrickle(gprs, { batches: 1, bytes: 4500 }, 2000)).toBe(false)
  expect(mayTrickle(after(4500, 10), { batches: 7, bytes: 31_500 }, 2000)).toBe(true)
})

test('of a link that nothing is known of, one batch tells', () => {
  expect(mayTrickle(UNKNOWN, { batches: 0, bytes: 0 }, 2000)).toBe(true)
  expect(mayTrickle(UNKNOWN, { batches: 1, bytes: 100 }, 2000)).toBe(false)
})

test('a link that becomes slower is believed within a few receipts', () => {
  const fast = after(4500, 10)
  const slow = Array.from({ length: 12 }).reduce<Throughput>((t) => observed(t, 4500, 4000), fast)
  expect(mayTrickle(slow, { batches: 1, bytes: 4500 }, 2000)).toBe(false)
})
