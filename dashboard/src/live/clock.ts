/** How far the server's clock is ahead of this computer's, from the `at` of its messages. */

const REMEMBERED = 20
/** More than a network delay: somebody has set a clock. */
const JUMP_MS = 5000

/** Offsets seen, newest last, each too small by the delay of its message. */
export type ClockOffsets = readonly number[]

export function withMessage(offsets: ClockOffsets, message: { at: number; received: number }): ClockOffsets {
  const offset = message.at - message.received
  const best = offsetMs(offsets)
  if (offsets.length > 0 && Math.abs(offset - best) > JUMP_MS) return [offset]
  return [...offsets, offset].slice(-REMEMBERED)
}

/** The offset of the message that travelled fastest, 0 before any. */
export const offsetMs = (offsets: ClockOffsets): number => (offsets.length === 0 ? 0 : Math.max(...offsets))
