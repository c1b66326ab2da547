import { Type } from 'typebox'
import { Value } from 'typebox/value'

/** What the link costs: bytes of the socket, and what TCP/IP adds to them by a stated model. */

/** IPv4 20, TCP 20 and its time stamps 12, which Linux sends. */
export const HEADER_BYTES = 52
/** What fits into a packet of 1500 bytes with them; a mobile network's is rarely smaller than 1400. */
const MOST_IN_PACKET = 1400
/** SYN, SYN-ACK, ACK, and FIN and ACK from both sides. */
export const CONNECTION_BYTES = 60 + 60 + 52 + 4 * HEADER_BYTES
/** TLS 1.3 adds a header of 5, a type of 1 and a tag of 16 to each record. */
export const TLS_RECORD_BYTES = 22

/** Of bytes that go one way as one piece: each packet has its headers and is acknowledged by one of headers alone. */
export const onTheWire = (bytes: number, options: { tls: boolean }): number => {
  const all = bytes + (options.tls && bytes > 0 ? TLS_RECORD_BYTES : 0)
  return all + Math.ceil(all / MOST_IN_PACKET) * 2 * HEADER_BYTES
}

/** Plans are counted by the district's days and months: Asia/Shanghai, which has no summer time. */
const ZONE_MS = 8 * 3_600_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** The rate is that of about so long. */
const RATE_MS = 6 * HOUR_MS

export const Usage = Type.Object({
  /** Days since 1970 in the district's zone. */
  day: Type.Integer(),
  bytes_today: Type.Number(),
  /** Months since year 0. */
  month: Type.Integer(),
  bytes_month: Type.Number(),
  /** From when the month has been counted. */
  month_from: Type.Number(),
})
export type Usage = { day: number; bytes_today: number; month: number; bytes_month: number; month_from: number }

const dayOf = (t: number): number => Math.floor((t + ZONE_MS) / DAY_MS)
function monthOf(t: number): number {
  const local = new Date(t + ZONE_MS)
  return local.getUTCFullYear() * 12 + local.getUTCMonth()
}
const endOfMonth = (month: number): number => Date.UTC(Math.floor(month / 12), (month % 12) + 1, 1) - ZONE_MS

/** The count of a day and a month that have begun meanwhile is 0. Pure. */
export function usageAt(usage: Usage | undefined, t: number): Usage {
  const [day, month] = [dayOf(t), monthOf(t)]
  const sameMonth = usage?.month === month
  return {
    day,
    bytes_today: usage?.day === day ? usage.bytes_today : 0,
    month,
    bytes_month: sameMonth ? usage.bytes_month : 0,
    month_from: sameMonth ? usage.month_from : t,
  }
}

/** @returns the bytes at the month's end at so many per hour, or at the month's own mean where null; null before an hour has been counted. */
export function projected(usage: Usage, t: number, perHour: number | null): number | null {
  const hours = (t - usage.month_from) / HOUR_MS
  const rate = perHour ?? (hours >= 1 ? usage.bytes_month / hours : null)
  return rate === null ? null : usage.bytes_month + (rate * Math.max(0, endOfMonth(usage.month) - t)) / HOUR_MS
}

/** How much slower each step is. */
export const SLOW_DOWN = [
  { silence: 1, deadband: 1, latency_ms: 0 },
  { silence: 3, deadband: 1, latency_ms: 5000 },
  { silence: 10, deadband: 2, latency_ms: 30_000 },
  { silence: 30, deadband: 4, latency_ms: 120_000 },
] as const
export type SlowDown = 0 | 1 | 2 | 3
const SLOWEST: SlowDown = 3

/** The step from now on. `month_end` is the projection. Pure. */
export function nextStep(
  step: SlowDown,
  plan: { readonly bytes: number; readonly used: number; readonly month_end: number | null },
): SlowDown {
  if (plan.used >= plan.bytes * 0.98) return SLOWEST
  if (plan.month_end === null) return step
  if (plan.month_end > plan.bytes) return Math.min(SLOWEST, step + 1) as SlowDown
  // A step back must not lead straight here again.
  return plan.month_end < plan.bytes * 0.6 ? (Math.max(0, step - 1) as SlowDown) : step
}

type MeterDeps = {
  readonly now: () => number
  /** A clock that no one sets, in ms. */
  readonly elapsed: () => number
  readonly recall: () => unknown
  readonly remember: (usage: Usage) => Promise<void>
  readonly planMb: number | undefined
}

const MB = 1_000_000
const SAVE_EVERY_MS = 60_000
const JUDGE_EVERY_MS = 2 * HOUR_MS

/** Counts what the link carries, projects it to the month's end, and says how much slower to be so that the plan lasts. */
export class Meter {
  readonly #deps: MeterDeps
  readonly #started: number
  #usage: Usage
  #recent = 0
  #recentAt: number
  #judgedAt: number
  #savedAt: number
  #step: SlowDown = 0

  constructor(deps: MeterDeps) {
    this.#deps = deps
    const known = deps.recall()
    this.#usage = usageAt(Value.Check(Usage, known) ? known : undefined, deps.now())
    this.#started = deps.elapsed()
    this.#recentAt = this.#started
    this.#savedAt = this.#started
    this.#judgedAt = this.#started
  }

  get step(): SlowDown {
    return this.#step
  }

  get slowDown(): (typeof SLOW_DOWN)[number] {
    return SLOW_DOWN[this.#step]
  }

  /** Bytes on the wire, both ways. */
  add(bytes: number): void {
    this.#fade()
    this.#recent += bytes
    const usage = usageAt(this.#usage, this.#deps.now())
    this.#usage = { ...usage, bytes_today: usage.bytes_today + bytes, bytes_month: usage.bytes_month + bytes }
  }

  figures(): { bytes_today: number; bytes_month: number; month_end_mb: number | null; plan_mb: number | null; slow_down: number } {
    const t = this.#deps.now()
    const usage = usageAt(this.#usage, t)
    const end = projected(usage, t, this.#perHour())
    return {
      bytes_today: usage.bytes_today,
      bytes_month: usage.bytes_month,
      month_end_mb: end === null ? null : Math.round((end / MB) * 100) / 100,
      plan_mb: this.#deps.planMb ?? null,
      slow_down: this.#step,
    }
  }

  /** To be called now and then: saves the count, and judges the step. */
  async look(): Promise<void> {
    const { now, elapsed, planMb } = this.#deps
    const at = elapsed()
    if (planMb !== undefined && at - this.#judgedAt >= JUDGE_EVERY_MS) {
      this.#judgedAt = at
      const t = now()
      const usage = usageAt(this.#usage, t)
      this.#step = nextStep(this.#step, { bytes: planMb * MB, used: usage.bytes_month, month_end: projected(usage, t, this.#perHour()) })
    }
    if (at - this.#savedAt >= SAVE_EVERY_MS) await this.save()
  }

  async save(): Promise<void> {
    this.#savedAt = this.#deps.elapsed()
    await this.#deps.remember(this.#usage)
  }

  /** null before there is an hour to judge by. */
  #perHour(): number | null {
    this.#fade()
    const age = this.#recentAt - this.#started
    return age < HOUR_MS ? null : (this.#recent * HOUR_MS) / (RATE_MS * (1 - Math.exp(-age / RATE_MS)))
  }

  #fade(): void {
    const at = this.#deps.elapsed()
    this.#recent *= Math.exp(-(at - this.#recentAt) / RATE_MS)
    this.#recentAt = at
  }
}
