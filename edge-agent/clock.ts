import { readFileSync } from 'node:fs'
import type { Logger } from 'pino'
import type { ClockState } from '#contract/health.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'

export type ClockSources = {
  /** The machine's clock, in ms since 1970 UTC: 1970 itself after a boot without a battery, and set by whoever may. */
  readonly wall: () => number
  /** Since the machine's boot, in ms; no one sets it, and every process of this boot reads the same. */
  readonly mono: () => number
  /** Another after each boot. */
  readonly boot: string
}

/** Earlier than any release of this program: a clock that says so has not been set. */
const EARLIEST_MS = Date.UTC(2020, 0, 1)
/** Clocks drift and are slewed by milliseconds; what is more has been set. In ms. */
const STEP_MS = 2000
/** So long after a step the clock is told as stepped, in ms. */
const TOLD_FOR_MS = 3_600_000
/** A step ahead beyond this is not believed where it would call readings old, until the center agrees. In ms. */
const FAR_MS = 3_600_000

/** The time, and how far it may be believed. */
export class Clock {
  readonly boot: string
  readonly #sources: ClockSources
  readonly #log: Logger
  #last: { readonly wall: number; readonly mono: number }
  #steppedAt = Number.NEGATIVE_INFINITY
  #isDoubtful = false
  #skewMs: number | null = null

  constructor(sources: ClockSources, log: Logger) {
    this.boot = sources.boot
    this.#sources = sources
    this.#log = log
    this.#last = { wall: sources.wall(), mono: sources.mono() }
    if (!this.isKnown) log.warn({ clock: this.#last.wall }, 'the time is not known yet: readings are kept by the time since the boot')
  }

  /** ms since 1970 UTC, right or not. */
  now(): UnixMs {
    this.#look()
    return unixMs(this.#sources.wall())
  }

  mono(): number {
    return this.#sources.mono()
  }

  get isKnown(): boolean {
    return this.#sources.wall() >= EARLIEST_MS
  }

  get state(): ClockState {
    if (!this.isKnown) return 'unknown'
    return this.#sources.mono() - this.#steppedAt < TOLD_FOR_MS ? 'stepped' : 'known'
  }

  /** Whether it may call a reading too old. */
  get isSure(): boolean {
    return this.isKnown && !this.#isDoubtful
  }

  /** Ahead of the center's clock, in ms; the way over the link makes it look ahead by so much. */
  get skewMs(): number | null {
    return this.#skewMs
  }

  /** What the center's clock said, in a message that has just come. */
  hear(host: number): void {
    const skew = Math.round(this.now() - host)
    this.#skewMs = skew
    if (Math.abs(skew) < FAR_MS) this.#isDoubtful = false
  }

  #look(): void {
    const [wall, mono] = [this.#sources.wall(), this.#sources.mono()]
    const by_ms = Math.round(wall - this.#last.wall - (mono - this.#last.mono))
    const wasKnown = this.#last.wall >= EARLIEST_MS
    this.#last = { wall, mono }
    if (!wasKnown && wall >= EARLIEST_MS) {
      this.#log.info({ clock: wall }, 'the time is known')
      return
    }
    if (Math.abs(by_ms) < STEP_MS) return
    this.#steppedAt = mono
    this.#isDoubtful ||= by_ms > FAR_MS
    this.#skewMs = null
    this.#log.warn({ by_ms }, 'the clock was set')
  }
}

/** Of this machine. */
export function machineClock(wall: () => number): ClockSources {
  return { wall, mono: () => Number(process.hrtime.bigint() / 1_000_000n), boot: bootId() }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    // Not Linux: what was kept by the time since an earlier start can then not be stamped.
    return `${process.pid} ${Date.now()}`
  }
}
