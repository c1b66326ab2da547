import type { Logger } from 'pino'
import { Closers } from './closers.ts'

/** Opens, waits until `signal` aborts, closes in the opposite order. */
export async function runUntil(signal: AbortSignal, log: Logger, open: (closers: Closers) => Promise<void>): Promise<void> {
  const closers = new Closers(log)
  try {
    await open(closers)
    await ended(signal)
  } finally {
    await closers.closeAll()
  }
}

export function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
