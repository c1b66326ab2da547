import { HEALTH_KEYS, healthMetrics, noHealth, type SiteHealth } from '#contract/health.ts'
import type { SparkplugMetric } from '#contract/sparkplug/payload.ts'
import type { UnixMs } from '#contract/units.ts'
import { worthTelling } from './report.ts'

type ReporterDeps = {
  readonly healthNow: () => SiteHealth
  readonly link: { readonly online: boolean; publishNode(metrics: SparkplugMetric[]): Promise<number | null> }
  readonly now: () => UnixMs
  /** A clock that no one sets, in ms. */
  readonly elapsed: () => number
  /** The least time between two ordinary reports, in ms. */
  readonly everyMs: number
}

/** How often a change that can't wait is looked for, in ms. */
const LOOK_EVERY_MS = 10_000

/** Tells the host of the agent's health: all in a birth, then what has changed, seldom, since it costs bytes. */
export class HealthReporter {
  readonly #deps: ReporterDeps
  readonly #timer: NodeJS.Timeout
  #told: SiteHealth = noHealth()
  #nextRegular = 0

  private constructor(deps: ReporterDeps) {
    this.#deps = deps
    this.#timer = setInterval(() => void this.#look(), Math.min(LOOK_EVERY_MS, deps.everyMs))
  }

  static start(deps: ReporterDeps): HealthReporter {
    return new HealthReporter(deps)
  }

  /** For a birth, which tells everything. */
  forBirth(): SiteHealth {
    this.#told = this.#deps.healthNow()
    this.#nextRegular = this.#deps.elapsed() + this.#deps.everyMs
    return this.#told
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    const { healthNow, link, now, elapsed, everyMs } = this.#deps
    if (!link.online) return
    const regular = elapsed() >= this.#nextRegular
    const health = healthNow()
    const keys = worthTelling(health, this.#told, { regular })
    if (regular) this.#nextRegular = elapsed() + everyMs
    if (keys.length === 0) return
    // Marked as told before it is: a lost message is made good by the next change or birth, a flood by nothing.
    const told = { ...this.#told }
    for (const key of HEALTH_KEYS) if (keys.includes(key)) Object.assign(told, { [key]: health[key] })
    this.#told = told
    await link.publishNode(healthMetrics(health, { keys, timestamp: now(), as: 'data' }))
  }
}
