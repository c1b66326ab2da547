import type { Logger } from 'pino'
import type { BatchId } from '#contract/batch.ts'
import type { LostRecord } from '#contract/lost.ts'
import type { Reading } from '#contract/reading.ts'
import type { UnixMs } from '#contract/units.ts'

/** What goes into the outbox and comes out of it. */

export type Sampled = { readonly t: UnixMs; readonly readings: ReadonlyMap<string, Reading> }

/** One message of one device. Its id and its readings never change. */
export type Batch = { readonly id: BatchId; readonly device: string; readonly samples: readonly Sampled[] }

/** One message of the node: readings that were lost. */
export type LostBatch = { readonly id: BatchId; readonly lost: readonly LostRecord[] }

/** `t` is the time under which the readings are kept: later than asked for where the clock has stepped back. */
export type Kept = { readonly t: UnixMs; readonly batch: BatchId }

export type OutboxStats = {
  /** Appends (one device at one time) without a receipt. */
  readonly pending: number
  readonly pending_readings: number
  readonly pending_bytes: number
  readonly oldest_t: UnixMs | null
  /** How long it takes to fill up at the present rate, by its own limit and by the disk's; null before there is a rate. */
  readonly room_h: number | null
  /** Readings that were dropped because the outbox was full or they were too old, or that the disk did not give back. Since it was made. */
  readonly lost_readings: number
  /** The interval of the last readings that were lost. */
  readonly lost_from_t: UnixMs | null
  readonly lost_to_t: UnixMs | null
  /** Appends whose time was shifted because the clock had stepped back. Since the outbox was made. */
  readonly shifted: number
}

export type OutboxOptions = {
  readonly path: string
  readonly max_bytes: number
  /** Readings older than this are dropped, in ms. */
  readonly max_age_ms?: number
  /** Whether the wall clock may be believed where it calls readings old. */
  readonly clockIsSure?: () => boolean
  /** A clock that no one sets, in ms. */
  readonly elapsed?: () => number
  readonly log: Logger
}
