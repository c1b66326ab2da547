import type { RunningConfig } from '#contract/site-config.ts'
import type { SparkplugMetric } from '#contract/sparkplug/payload.ts'

/** What one run of the agent hands to whoever takes configurations from the center. */
export type CenterLink = {
  /** What this run runs with. */
  readonly running: RunningConfig
  /** An order of the center, its seal unopened. */
  ordered(bytes: Uint8Array): void
  /** The center has answered this run, under its seal: a receipt, or the time. */
  contact(): void
  /** The session has begun: something may be told. */
  online(publishNode: (metrics: SparkplugMetric[]) => Promise<unknown>): void
}
