import type { Expected } from './request.ts'

/** How PDUs become bytes on a line, and what came over it becomes PDUs again. */

export type Found =
  /** No whole frame yet. `damaged`: one of the right shape came, and its check sum is wrong. */
  | { readonly kind: 'incomplete'; readonly rest: Buffer; readonly damaged: boolean }
  /** As far as the framing can tell, the answer to the request. */
  | { readonly kind: 'reply'; readonly unit: number; readonly pdu: Buffer; readonly rest: Buffer }
  /** A whole frame that answers something else: another unit, a request that was given up, a copy. */
  | { readonly kind: 'foreign'; readonly unit: number; readonly fc: number; readonly rest: Buffer }
  /** Nothing that comes over this connection can be understood any more. */
  | { readonly kind: 'garbage' }

export type Framing = {
  readonly kind: 'tcp' | 'rtu'
  /** Begins an exchange. */
  encode(unit: number, pdu: Buffer): Buffer
  /** @param expected the answer that is waited for, or null between exchanges. */
  take(received: Buffer, expected: Expected | null): Found
}
