import { assertNever } from './fault.ts'

/**
 * Why a value could not be taken or not be believed. The number stands in the store's `<metric>_q` field, so it never changes its
 * meaning: add at the end. 0 is GOOD and no reason.
 */
export const BAD_REASONS = {
  timeout: 1,
  not_connected: 2,
  exception_illegal_function: 3,
  exception_illegal_address: 4,
  exception_illegal_value: 5,
  exception_device_failure: 6,
  exception_busy: 7,
  exception_gateway: 8,
  exception_other: 9,
  bad_reply: 10,
  out_of_range: 11,
  not_a_number: 12,
  sensor_fault: 13,
  no_value: 14,
  foreign_bad: 15,
} as const
export type BadReason = keyof typeof BAD_REASONS
/** STALE in the store: the value is there, but its source called it old. */
export const STALE_CODE = 500

/** A reading is never a bare number: a value that could not be taken is a reading too. Booleans are 0 and 1. */
export type Reading =
  | { readonly quality: 'good'; readonly value: number }
  | { readonly quality: 'bad'; readonly reason: BadReason }
  | { readonly quality: 'stale'; readonly value: number }
export type Quality = Reading['quality']

export const good = (value: number): Reading => ({ quality: 'good', value })
export const bad = (reason: BadReason): Reading => ({ quality: 'bad', reason })
export const stale = (value: number): Reading => ({ quality: 'stale', value })

/** Sparkplug's property `Quality` (Int32). */
export const SPARKPLUG_QUALITY: Record<Quality, number> = { good: 192, bad: 0, stale: STALE_CODE }

/** The code that a store keeps beside the value: 0 GOOD, 500 STALE, else the reason. */
export function qualityCode(r: Reading): number {
  switch (r.quality) {
    case 'good':
      return 0
    case 'stale':
      return STALE_CODE
    case 'bad':
      return BAD_REASONS[r.reason]
    default:
      return assertNever(r)
  }
}

const REASON_BY_CODE = new Map<number, BadReason>(Object.entries(BAD_REASONS).map(([reason, code]) => [code, reason as BadReason]))

export const isBadReason = (text: string): text is BadReason => Object.hasOwn(BAD_REASONS, text)

/** The reading behind a stored value and code. A value that is missing though its code says GOOD is `no_value`. */
export function readingOf(value: number | null, code: number): Reading {
  if (code === 0) return value === null ? bad('no_value') : good(value)
  if (code === STALE_CODE) return value === null ? bad('no_value') : stale(value)
  return bad(REASON_BY_CODE.get(code) ?? 'foreign_bad')
}

/** The value to draw, or null for a gap. A stale value is drawn, greyed; a bad one is a gap. */
export function drawable(r: Reading): number | null {
  switch (r.quality) {
    case 'good':
    case 'stale':
      return r.value
    case 'bad':
      return null
    default:
      return assertNever(r)
  }
}
