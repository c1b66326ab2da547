import { encodeFrame, type Frame, takeFrames } from './modbus-frame.ts'

/** How a simulated device's frames look on their way: Modbus TCP, or RTU on a serial line or carried over TCP. */
export type Wire = {
  readonly kind: 'tcp' | 'rtu'
  /** The whole requests at the beginning of `bytes` and what is left over, or null for what can never be one. */
  take(bytes: Buffer): { readonly frames: readonly Frame[]; readonly rest: Buffer } | null
  encode(frame: Frame, wrong?: WrongFrame): Buffer
}
/** `lengthError` is added to the length that the frame says of itself; `sumError` makes its check sum wrong. */
export type WrongFrame = { readonly lengthError?: number; readonly sumError?: 'none' | 'flipped' }

export const TCP_WIRE: Wire = { kind: 'tcp', take: takeFrames, encode: encodeFrame }
export const RTU_WIRE: Wire = { kind: 'rtu', take: takeRequests, encode: encodeRtu }

/** CRC-16 of Modbus, bit by bit as MODBUS over Serial Line V1.02 §6.2.2 writes it. */
function sumOf(bytes: Uint8Array): number {
  let sum = 0xffff
  for (const byte of bytes) {
    sum ^= byte
    for (let i = 0; i < 8; i++) sum = sum & 1 ? (sum >> 1) ^ 0xa001 : sum >> 1
  }
  return sum
}

function encodeRtu({ unit, pdu }: Frame, { lengthError = 0, sumError = 'none' }: WrongFrame = {}): Buffer {
  const frame = Buffer.concat([Buffer.from([unit]), pdu, Buffer.alloc(2)])
  if (lengthError !== 0) frame.writeUInt8(((frame[2] ?? 0) + lengthError) & 0xff, 2)
  frame.writeUInt16LE(sumOf(frame.subarray(0, -2)) ^ (sumError === 'flipped' ? 1 : 0), frame.length - 2)
  return frame
}

/** Whatever is no request is passed over: a device on a line hears much that is not for it. */
function takeRequests(bytes: Buffer): { frames: Frame[]; rest: Buffer } {
  const frames: Frame[] = []
  let at = 0
  let kept = 0
  while (at + 4 <= bytes.length) {
    const length = lengthOfRequest(bytes.subarray(at))
    if (length !== null && at + length > bytes.length) break
    if (length !== null && sumOf(bytes.subarray(at, at + length - 2)) === bytes.readUInt16LE(at + length - 2)) {
      frames.push({ transaction: 0, unit: bytes.readUInt8(at), pdu: bytes.subarray(at + 1, at + length - 2) })
      at += length
      kept = at
    } else {
      at += 1
      kept = at
    }
  }
  return { frames, rest: bytes.subarray(kept) }
}

function lengthOfRequest(bytes: Buffer): number | null {
  const fc = bytes[1] ?? 0
  if (fc >= 1 && fc <= 6) return 8
  if (fc === 15 || fc === 16) return 9 + (bytes[6] ?? 0)
  return null
}
