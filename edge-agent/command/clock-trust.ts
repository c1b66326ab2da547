/** Whether the agent's clock may be believed: the host, asked with a fresh nonce, told the same time over its signature. Pure. */

export type ClockTrust =
  | { readonly kind: 'untrusted' }
  /** `wall` and `elapsed` at the agreement: they must go on side by side. */
  | { readonly kind: 'agreed'; readonly wall: number; readonly elapsed: number }

export type ClockSettings = { readonly max_clock_error_ms: number; readonly longest_round_trip_ms: number; readonly time_trusted_h: number }

/** One question and its answer. Wall times in ms since 1970; `asked` and `answered` by a clock that no one sets. */
export type Exchange = { readonly asked: number; readonly answered: number; readonly hostTime: number; readonly wallNow: number }

export function agree(e: Exchange, settings: ClockSettings): ClockTrust {
  const roundTrip = e.answered - e.asked
  if (roundTrip < 0 || roundTrip > settings.longest_round_trip_ms) return { kind: 'untrusted' }
  const error = Math.abs(e.wallNow - (e.hostTime + roundTrip / 2))
  return error <= settings.max_clock_error_ms + roundTrip / 2
    ? { kind: 'agreed', wall: e.wallNow, elapsed: e.answered }
    : { kind: 'untrusted' }
}

/** A clock that was set since, or an agreement that is too old, is trusted no more. */
export function isTrusted(trust: ClockTrust, { wall, elapsed }: { wall: number; elapsed: number }, settings: ClockSettings): boolean {
  if (trust.kind === 'untrusted') return false
  const since = elapsed - trust.elapsed
  return since <= settings.time_trusted_h * 3_600_000 && Math.abs(wall - trust.wall - since) <= settings.max_clock_error_ms
}
