import type { Say } from '../i18n/i18n.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** Clocks of field devices are never quite right; more than this is worth telling. */
const AHEAD_MS = 5 * SECOND_MS

export type Age =
  | { readonly in: 'seconds'; readonly n: number }
  | { readonly in: 'minutes'; readonly n: number }
  | { readonly in: 'hours'; readonly h: number; readonly m: number }
  | { readonly in: 'days'; readonly d: number; readonly h: number }
  /** The source's clock is ahead of the server's. */
  | { readonly in: 'future'; readonly n: number }

/** An age in the units that a person would say it in, rounded down: never younger than it is by more than a unit. @param ms may be negative */
export function ageOf(ms: number): Age {
  if (ms < -AHEAD_MS) return { in: 'future', n: Math.floor(-ms / SECOND_MS) }
  const age = Math.max(0, ms)
  if (age < 2 * MINUTE_MS) return { in: 'seconds', n: Math.floor(age / SECOND_MS) }
  if (age < HOUR_MS) return { in: 'minutes', n: Math.floor(age / MINUTE_MS) }
  if (age < DAY_MS) return { in: 'hours', h: Math.floor(age / HOUR_MS), m: Math.floor((age % HOUR_MS) / MINUTE_MS) }
  return { in: 'days', d: Math.floor(age / DAY_MS), h: Math.floor((age % DAY_MS) / HOUR_MS) }
}

/** `3 秒`, `12 分`, `1 时 05 分`, `3 天 04 时` */
export function ageText(ms: number, say: Say): string {
  const age = ageOf(ms)
  switch (age.in) {
    case 'seconds':
      return say('age.seconds', { n: age.n })
    case 'minutes':
      return say('age.minutes', { n: age.n })
    case 'hours':
      return say('age.hours', { h: age.h, m: twoDigits(age.m) })
    case 'days':
      return say('age.days', { d: age.d, h: twoDigits(age.h) })
    case 'future':
      return say('age.ahead', { n: age.n })
  }
}

const twoDigits = (n: number): string => String(n).padStart(2, '0')
