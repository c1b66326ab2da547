import { HEALTH_KEYS, type SiteHealth } from '#contract/health.ts'

/** Which of the health figures are worth their bytes now. Pure. */

type Key = keyof SiteHealth
type Rule =
  /** Told as soon as it differs. */
  | { readonly tell: 'at once' }
  /** Told with the next regular report when it has moved by this share of what was told, and by `least`. */
  | { readonly tell: 'moved'; readonly share: number; readonly least: number }
  /** Told in births alone. */
  | { readonly tell: 'birth' }

const moved = (share: number, least: number): Rule => ({ tell: 'moved', share, least })
const AT_ONCE: Rule = { tell: 'at once' }

const RULES: Record<Key, Rule> = {
  outbox_bytes: moved(0.2, 65_536),
  outbox_readings: moved(0.2, 500),
  outbox_oldest_s: moved(0.2, 300),
  outbox_room_h: moved(0.1, 1),
  dropped_readings: moved(0.05, 1),
  dropped_from: moved(0, 1),
  dropped_to: moved(0, 60_000),
  not_kept: moved(0.05, 1),
  receipt_delay_ms: moved(0.5, 1000),
  bytes_today: moved(0.1, 50_000),
  bytes_month: moved(0.05, 100_000),
  month_end_mb: moved(0.05, 0.1),
  plan_mb: AT_ONCE,
  slow_down: AT_ONCE,
  clock_skew_ms: moved(0.1, 2000),
  clock_state: AT_ONCE,
  polls_missed: moved(0.05, 1),
  connections: moved(0, 1),
  uptime_s: moved(0, 21_600),
  silence_ms: AT_ONCE,
  errors: moved(0.05, 1),
  agent_version: { tell: 'birth' },
  // They change with a new session alone.
  config_version: { tell: 'birth' },
  config_hash: { tell: 'birth' },
}

/**
 * @param regular whether the time for an ordinary report has come; otherwise only what can't wait is told.
 * @returns the figures to tell, none when nothing has changed.
 */
export function worthTelling(now: SiteHealth, told: SiteHealth, options: { regular: boolean }): Key[] {
  return HEALTH_KEYS.filter((key) => {
    const rule = RULES[key]
    if (rule.tell === 'birth' || sum(now[key]) === sum(told[key])) return false
    return rule.tell === 'at once' || (options.regular && hasMoved(sum(now[key]), sum(told[key]), rule))
  })
}

/** Counts by reason as one number: a failure more is a change. */
function sum(value: SiteHealth[Key]): number | string | null {
  return typeof value === 'object' && value !== null ? Object.values(value).reduce((a, b) => a + b, 0) : value
}

function hasMoved(now: number | string | null, told: number | string | null, { share, least }: { share: number; least: number }): boolean {
  if (typeof now !== 'number' || typeof told !== 'number') return true
  return Math.abs(now - told) >= Math.max(least, Math.abs(told) * share)
}
