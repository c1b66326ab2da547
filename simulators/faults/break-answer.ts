import { assertNever } from '#contract/fault.ts'
import { ofKind, type PlannedFault } from '../faults.ts'
import type { Frame } from '../modbus-frame.ts'
import type { Wire } from '../wire.ts'
import type { FaultKind } from './order.ts'

/** Faults of the frames: how a right answer goes wrong on its way out. Pure. */

export type BrokenAnswer = {
  readonly segments: readonly Buffer[]
  readonly gap_ms: number
  readonly delay_ms: number
  /** The fault by which nobody who checks can take this for an answer; null when it is a valid one. */
  readonly corrupted: FaultKind | null
}

/** @param line.previous the bytes of the answer before on this connection. */
export function breakAnswer(
  answer: Frame,
  faults: readonly PlannedFault[],
  { previous, wire }: { readonly previous: Buffer | null; readonly wire: Wire },
): BrokenAnswer {
  let frame = answer
  let lengthError = 0
  let sumError: 'none' | 'flipped' = 'none'
  let [parts, gap_ms, delay_ms] = [1, 0, 0]
  let corrupted: FaultKind | null = null
  let before: Buffer | null = null
  for (const { order } of ofKind(faults, ...KINDS)) {
    switch (order.kind) {
      case 'late':
        delay_ms += order.delay_ms
        break
      case 'split':
        parts = order.segments
        gap_ms = order.gap_ms
        break
      case 'merged':
        before = previous
        break
      case 'wrong_length':
        lengthError = order.by
        corrupted ??= order.by === 0 ? null : order.kind
        break
      case 'crc_error':
        sumError = 'flipped'
        corrupted ??= order.kind
        break
      case 'wrong_transaction':
        frame = { ...frame, transaction: (frame.transaction + 1) & 0xffff }
        corrupted ??= order.kind
        break
      case 'wrong_unit':
        frame = { ...frame, unit: (frame.unit + 1) & 0xff }
        corrupted ??= order.kind
        break
      case 'wrong_function':
        frame = { ...frame, pdu: Buffer.concat([Buffer.from([(frame.pdu[0] ?? 0) + 1]), frame.pdu.subarray(1)]) }
        corrupted ??= order.kind
        break
      default:
        assertNever(order)
    }
  }
  const bytes = wire.encode(frame, { lengthError, sumError })
  return { segments: cutUp(before ? Buffer.concat([before, bytes]) : bytes, parts), gap_ms, delay_ms, corrupted }
}

const KINDS = ['late', 'split', 'merged', 'wrong_length', 'crc_error', 'wrong_transaction', 'wrong_unit', 'wrong_function'] as const

/** Into `parts` of about the same length; fewer where there are fewer bytes. */
function cutUp(bytes: Buffer, parts: number): Buffer[] {
  const step = Math.ceil(bytes.length / parts)
  return Array.from({ length: Math.ceil(bytes.length / step) }, (_, i) => bytes.subarray(i * step, (i + 1) * step))
}
