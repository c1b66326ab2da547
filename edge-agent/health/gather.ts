import { CLOCK_STATES, type SiteHealth } from '#contract/health.ts'
import type { RunningConfig } from '#contract/site-config.ts'
import { VERSION } from '#contract/version.ts'
import type { Clock } from '../clock.ts'
import type { Keeper } from '../keep.ts'
import type { OutboxStats } from '../outbox/outbox.ts'
import type { Meter } from '../uplink/meter.ts'
import type { Sender } from '../uplink/send.ts'
import type { Session } from '../uplink/session.ts'

/** Where the figures of an agent's health come from. */
export type HealthSources = {
  readonly outbox: OutboxStats
  readonly keeper: Pick<Keeper, 'counts' | 'errors'>
  readonly sender: Pick<Sender, 'lastReceiptDelayMs'>
  readonly session: Pick<Session, 'connections'>
  readonly meter: Pick<Meter, 'figures'>
  readonly clock: Pick<Clock, 'skewMs' | 'state'>
  readonly silenceMs: number
  readonly config: RunningConfig | undefined
  /** ms since 1970 UTC, by the agent's clock. */
  readonly now: number
  readonly uptimeMs: number
}

/** Pure. */
export function gatherHealth(from: HealthSources): SiteHealth {
  const { outbox, keeper, sender, session } = from
  return {
    outbox_bytes: outbox.pending_bytes,
    outbox_readings: outbox.pending_readings,
    outbox_oldest_s: outbox.oldest_t === null ? 0 : Math.max(0, Math.round((from.now - outbox.oldest_t) / 1000)),
    outbox_room_h: outbox.room_h === null ? null : Math.round(outbox.room_h * 10) / 10,
    dropped_readings: outbox.lost_readings,
    dropped_from: outbox.lost_from_t,
    dropped_to: outbox.lost_to_t,
    not_kept: keeper.counts.not_kept,
    receipt_delay_ms: sender.lastReceiptDelayMs,
    ...from.meter.figures(),
    clock_skew_ms: from.clock.skewMs,
    clock_state: CLOCK_STATES.indexOf(from.clock.state),
    polls_missed: keeper.counts.missed_cycles,
    connections: session.connections,
    uptime_s: Math.round(from.uptimeMs / 1000),
    errors: keeper.errors,
    agent_version: VERSION,
    silence_ms: from.silenceMs,
    config_version: from.config?.version ?? null,
    config_hash: from.config?.hash ?? null,
  }
}
