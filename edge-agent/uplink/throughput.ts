/** What the link carries, reckoned from batches and their receipts. Pure. */
export type Throughput = { readonly bytes_per_s: number | null }

export const UNKNOWN: Throughput = { bytes_per_s: null }

/** The share that the newest measurement has: a link that has become slower is believed sooner than one that has become faster. */
const FASTER = 0.3
const SLOWER = 0.6

/** After a receipt: `bytes` were on their way for `ms`. Round trip and writing to history are in it, so it errs to the careful side. */
export function observed({ bytes_per_s }: Throughput, bytes: number, ms: number): Throughput {
  const now = (bytes * 1000) / Math.max(1, ms)
  return { bytes_per_s: bytes_per_s === null ? now : bytes_per_s + (now < bytes_per_s ? SLOWER : FASTER) * (now - bytes_per_s) }
}

/**
 * Whether another batch of the backlog may go: not more are on their way than the link carries in `budget_ms`, so that a reading of the
 * present waits no longer than that. One may always go, or nothing would be learnt of the link.
 */
export function mayTrickle(link: Throughput, onTheWay: { readonly batches: number; readonly bytes: number }, budget_ms: number): boolean {
  if (onTheWay.batches === 0) return true
  if (link.bytes_per_s === null) return false
  const next = onTheWay.bytes / onTheWay.batches
  return onTheWay.bytes + next <= (link.bytes_per_s * budget_ms) / 1000
}
