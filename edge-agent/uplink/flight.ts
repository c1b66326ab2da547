/** When a batch that has no receipt yet is sent again. Pure; times are of a clock that no one sets, in ms. */

export type Flight = {
  /** How often it has been sent over this connection. */
  readonly attempts: number
  readonly dueAt: number
  /** When it was last sent over this connection. */
  readonly sentAt: number
  /** Of its payload, when it was last sent. */
  readonly bytes: number
  readonly kind: 'present' | 'backlog'
}
export type Backoff = { readonly retry_first_ms: number; readonly retry_max_ms: number }

/** Taken, but not sent over this connection: due at once. */
export const GROUNDED: Omit<Flight, 'kind'> = { attempts: 0, dueAt: Number.NEGATIVE_INFINITY, sentAt: Number.NaN, bytes: 0 }

/** After it was sent: the wait doubles each time. */
export function afterSend(flight: Flight, now: number, { retry_first_ms, retry_max_ms }: Backoff): Flight {
  const wait_ms = Math.min(retry_max_ms, retry_first_ms * 2 ** Math.min(flight.attempts, 30))
  return { ...flight, attempts: flight.attempts + 1, dueAt: now + wait_ms, sentAt: now }
}

/** After another batch's receipt: the host is there, so a batch that was given a long wait need not wait it out. */
export function afterReceipt(flight: Flight, now: number, { retry_first_ms }: Backoff): Flight {
  return { ...flight, attempts: Math.min(flight.attempts, 1), dueAt: Math.min(flight.dueAt, now + retry_first_ms) }
}
