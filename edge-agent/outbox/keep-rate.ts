import { statfsSync } from 'node:fs'

/** Bytes kept per hour, over the last hour or so: what the outbox's room in hours is reckoned by. */
export class KeepRate {
  readonly #elapsed: () => number
  readonly #started: number
  #bytes = 0
  #at: number

  /** @param elapsed a clock that no one sets, in ms */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed
    this.#started = elapsed()
    this.#at = this.#started
  }

  add(bytes: number): void {
    this.#fade()
    this.#bytes += bytes
  }

  /** @returns null before there is a minute to judge by. */
  perHour(): number | null {
    this.#fade()
    const age = this.#at - this.#started
    if (age < LEAST_MS) return null
    // What has faded since the start is missing from the sum, and from the time that it stands for.
    return this.#bytes / (1 - Math.exp(-age / HOUR_MS))
  }

  #fade(): void {
    const now = this.#elapsed()
    this.#bytes *= Math.exp(-(now - this.#at) / HOUR_MS)
    this.#at = now
  }
}

const HOUR_MS = 3_600_000
const LEAST_MS = 60_000

/** Of lmdb's pages, what is not records: keys, heads and free space in each. Measured with appends of 3 to 12 readings. */
const BYTES_ON_DISK_PER_BYTE = 1.6

/** @returns how long it takes to reach the outbox's limit or the disk's, whichever comes first; null before there is a rate. */
export function roomInHours(outbox: { path: string; max_bytes: number }, now: { bytes: number; perHour: number | null }): number | null {
  if (now.perHour === null || now.perHour === 0) return null
  const { bavail, bsize } = statfsSync(outbox.path)
  const room = Math.min(outbox.max_bytes - now.bytes, bavail * bsize)
  return Math.max(0, room) / (now.perHour * BYTES_ON_DISK_PER_BYTE)
}
