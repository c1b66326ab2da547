/** A way to the devices of a bus: bytes out, bytes in. It opens itself, and opens itself anew when it is lost. */
export type Line = {
  readonly state: 'open' | 'opening' | 'down'
  /** Resolves when an opening that is under way has succeeded or failed. */
  opened(): Promise<void>
  /** Only while it is open. */
  send(bytes: Buffer): void
  /** How long so many bytes take to go over the wire, in ms; 0 where that is not the line's to know. */
  wireMs(bytes: number): number
  /** Drops the connection and makes a new one: nothing that is under way in it reaches anybody. */
  renew(): void
  /** For good. */
  close(): void
}

export type LineEvents = {
  readonly bytes: (received: Buffer) => void
  /** What was asked over it will not be answered. */
  readonly lost: () => void
}

const FIRST_MS = 250
const MOST_MS = 30_000

/** @param failures in a row, the present one not counted. @returns how long to wait before the next try, in ms. */
export const backOffMs = (failures: number): number => Math.min(MOST_MS, FIRST_MS * 2 ** failures)
