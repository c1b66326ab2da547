import type { BadReason } from '#contract/reading.ts'
import { isBitSpace, type Space } from './points.ts'

/** Modbus TCP frames, after "MODBUS Messaging on TCP/IP Implementation Guide" V1.0b. Pure. */

export type ReadRequest = {
  /** Modbus unit identifier. */
  readonly unit: number
  readonly space: Space
  readonly address: number
  /** Registers, or bits in a bit space. */
  readonly words: number
}

const FUNCTION: Record<Space, number> = { coil: 1, discrete: 2, holding: 3, input: 4 }
const HEADER_BYTES = 7
/** The MBAP length counts the unit and the PDU; a PDU holds 1 to 253 bytes. */
const [MIN_LENGTH, MAX_LENGTH] = [2, 254]

export function encodeRead(request: ReadRequest, transaction: number): Buffer {
  const frame = Buffer.alloc(12)
  frame.writeUInt16BE(transaction, 0)
  frame.writeUInt16BE(6, 4)
  frame.writeUInt8(request.unit, 6)
  frame.writeUInt8(FUNCTION[request.space], 7)
  frame.writeUInt16BE(request.address, 8)
  frame.writeUInt16BE(request.words, 10)
  return frame
}

/** Cuts the next frame off what has come so far. `garbage`: these bytes are no Modbus TCP, and nothing after them can be. */
export function nextFrame(received: Buffer): { kind: 'frame'; frame: Buffer; rest: Buffer } | { kind: 'incomplete' } | { kind: 'garbage' } {
  if (received.length < HEADER_BYTES) return { kind: 'incomplete' }
  const length = received.readUInt16BE(4)
  if (received.readUInt16BE(2) !== 0 || length < MIN_LENGTH || length > MAX_LENGTH) return { kind: 'garbage' }
  const end = 6 + length
  if (received.length < end) return { kind: 'incomplete' }
  return { kind: 'frame', frame: received.subarray(0, end), rest: received.subarray(end) }
}

export type Reply =
  | { readonly kind: 'words'; readonly words: readonly number[] }
  | { readonly kind: 'bad'; readonly reason: BadReason }
  /** Another transaction's, so a late one: the answer to this request may still come. */
  | { readonly kind: 'foreign' }

/** What a whole frame says to a request. A frame that names our transaction but another unit, function or length is a `bad_reply`. */
export function readReply(frame: Buffer, request: ReadRequest, transaction: number): Reply {
  if (frame.readUInt16BE(0) !== transaction) return { kind: 'foreign' }
  const code = frame.readUInt8(7)
  const wanted = FUNCTION[request.space]
  if (frame.readUInt8(6) !== request.unit) return { kind: 'bad', reason: 'bad_reply' }
  if (code === (wanted | 0x80)) return { kind: 'bad', reason: frame.length === 9 ? reasonOfException(frame.readUInt8(8)) : 'bad_reply' }
  const bytes = isBitSpace(request.space) ? Math.ceil(request.words / 8) : request.words * 2
  if (code !== wanted || frame.length !== 9 + bytes || frame.readUInt8(8) !== bytes) return { kind: 'bad', reason: 'bad_reply' }
  const words = Array.from({ length: request.words }, (_, i) =>
    isBitSpace(request.space) ? (frame.readUInt8(9 + (i >> 3)) >> (i & 7)) & 1 : frame.readUInt16BE(9 + 2 * i),
  )
  return { kind: 'words', words }
}

/** MB §7, exception codes. */
function reasonOfException(code: number): BadReason {
  switch (code) {
    case 1:
      return 'exception_illegal_function'
    case 2:
      return 'exception_illegal_address'
    case 3:
      return 'exception_illegal_value'
    case 4:
      return 'exception_device_failure'
    case 5:
    case 6:
      return 'exception_busy'
    case 10:
    case 11:
      return 'exception_gateway'
    default:
      return 'exception_other'
  }
}
