import { expect, test } from 'vitest'
import { agree, isTrusted } from './clock-trust.ts'

const settings = { max_clock_error_ms: 2000, longest_round_trip_ms: 10_000, time_trusted_h: 48 }
const HOUR = 3_600_000
const at = (error: number, roundTrip: number) =>
  agree({ asked: 0, answered: roundTrip, hostTime: 1_000_000, wallNow: 1_000_000 + roundTrip / 2 + error }, settings)

test('a clock that differs from the host’s by more than the limit and half the round trip is not trusted', () => {
  expect(at(0, 900).kind).toBe('agreed')
  expect(at(2400, 900).kind).toBe('agreed')
  expect(at(2500, 900).kind).toBe('untrusted')
  expect(at(-2500, 900).kind).toBe('untrusted')
})

test('an answer that took too long tells no time', () => {
  expect(at(0, 10_001).kind).toBe('untrusted')
})

test('a clock that was set after the agreement is not trusted, nor an agreement of days ago', () => {
  const trust = at(0, 0)
  const later = (ms: number, step: number): boolean => isTrusted(trust, { wall: 1_000_000 + ms + step, elapsed: ms }, settings)
  expect(later(HOUR, 0)).toBe(true)
  expect(later(HOUR, 2001)).toBe(false)
  expect(later(HOUR, -2001)).toBe(false)
  expect(later(48 * HOUR + 1, 0)).toBe(false)
  expect(isTrusted({ kind: 'untrusted' }, { wall: 0, elapsed: 0 }, settings)).toBe(false)
})
