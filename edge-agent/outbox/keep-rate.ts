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
