import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { type Static, Type } from 'typebox'
import { messageOf } from '#contract/fault.ts'
import { DAY_MS } from './cells.ts'
import type { History, KeepFrom } from './port.ts'

const days = (what: string) =>
  Type.Integer({ default: 0, minimum: 0, description: `Days for which ${what} are kept; 0 keeps them for ever` })
export const RetentionSettings = Type.Object(
  { samples_days: days('samples'), minutes_days: days('roll-ups of a minute'), hours_days: days('roll-ups of an hour and a day') },
  { additionalProperties: false, default: {} },
)
export type RetentionSettings = Static<typeof RetentionSettings>

const EVERY_MS = 3_600_000

/** The beginning of the oldest whole day that each tier keeps. */
export function keepFrom({ samples_days, minutes_days, hours_days }: RetentionSettings, now: number): KeepFrom {
  const from = (kept: number): number => (kept === 0 ? 0 : now - (now % DAY_MS) - kept * DAY_MS)
  return { samples: from(samples_days), minutes: from(minutes_days), hours: from(hours_days) }
}

/** Enforces the retention now and every hour until it is closed. */
export function startRetention(
  history: Pick<History, 'expire'>,
  settings: RetentionSettings,
  { log }: { log: Logger },
): { close: () => Promise<void> } {
  const stop = new AbortController()
  const loop = async (): Promise<void> => {
    if (Object.values(settings).every((kept) => kept === 0)) return
    while (!stop.signal.aborted) {
      await history
        .expire(keepFrom(settings, Date.now()))
        .catch((error: unknown) => log.warn({ error: messageOf(error) }, 'history: the retention was not enforced; tried again in an hour'))
      await sleep(EVERY_MS, undefined, { signal: stop.signal, ref: false }).catch(() => undefined)
    }
  }
  const running = loop()
  return {
    close: async () => {
      stop.abort()
      await running
    },
  }
}
