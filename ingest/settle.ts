import type { Sample, WriteOutcome } from '#history/port.ts'

export type Next =
  | { readonly do: 'receipt' }
  | { readonly do: 'dead-letter-then-receipt'; readonly samples: readonly Sample[]; readonly reason: string }
  | { readonly do: 'wait'; readonly ms: number; readonly cause: unknown }

/** What follows from a write. Pure: the caller receipts, files and waits. */
export function settle(outcome: WriteOutcome): Next {
  switch (outcome.kind) {
    case 'kept':
      return { do: 'receipt' }
    case 'refused':
      return { do: 'dead-letter-then-receipt', samples: outcome.samples, reason: outcome.reason }
    case 'unavailable':
      return { do: 'wait', ms: outcome.retryAfterMs, cause: outcome.cause }
  }
}
