import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import type { History } from './port.ts'

/** A window's own samples are mostly there this long after it has ended; those that come later touch it again. */
const SETTLE_MS = 30_000

/** Brings roll-ups up to date from time to time until it is closed. Each process that writes a history does it. */
export function startRollUps(
  history: Pick<History, 'rollUp'>,
  { everyMs, log }: { everyMs: number; log: Logger },
): { close: () => Promise<void> } {
  const stop = new AbortController()
  const loop = async (): Promise<void> => {
    for (;;) {
      await sleep(everyMs, undefined, { signal: stop.signal, ref: false }).catch(ignoreAbort)
      if (stop.signal.aborted) return
      try {
        await history.rollUp(Date.now() - SETTLE_MS)
      } catch (error) {
        log.warn({ error: messageOf(error) }, 'history: roll-ups were put off; questions are answered from samples meanwhile')
      }
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

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error
}
