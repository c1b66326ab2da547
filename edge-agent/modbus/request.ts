import { isBitSpace, type Space } from '#contract/profile.ts'
import type { BadReason } from '#contract/reading.ts'

/** What is asked of a Modbus device and what it says to it: MODBUS Application Protocol V1.1b3. Pure, and without any framing. */

export type ReadRequest = {
  /** Modbus unit identifier. */
  readonly unit: number
  readonly space: Space
  readonly address: number
  /** Registers, or bits in a bit space. */
  readonly words: number
}

/** `coil` is FC 5, `register` FC 6, `coils` FC 15, `registers` FC 16. A coil's value is 0 or 1. */
export type WriteRequest = { readonly unit: number; readonly address: number } & (
  | { readonly write: 'coil' | 'register'; readonly value: number }
  | { readonly write: 'coils' | 'registers'; readonly values: readonly number[] }
)
export type Request = ReadRequest | WriteRequest
export const isWrite = (request: Request): request is WriteRequest => 'write' in request

export type Reply =
  | { readonly kind: 'words'; readonly words: readonly number[] }
  /** The device repeated what it was told to write. */
  | { readonly kind: 'written' }
  | { readonly kind: 'bad'; readonly reason: BadReason }

/** By what the reply is known, whatever the framing. */
export type Expected = {
  readonly unit: number
  readonly fc: number
  /** Length of the whole reply PDU when it is no exception. */
  readonly pduBytes: number
  /** The PDU's second byte where that is a count; null for a write's echo. */
  readonly count: number | null
}

const READ: Record<Space, number> = { coil: 1, discrete: 2, holding: 3, input: 4 }
const WRITE = { coil: 5, register: 6, coils: 15, registers: 16 } as const
const ON = 0xff00
export const EXCEPTION = 0x80
/** MB §6.11, §6.12. */
export const MAX_WRITE = { coils: 1968, registers: 123 } as const

export const functionOf = (request: Request): number => (isWrite(request) ? WRITE[request.write] : READ[request.space])

/** @throws RangeError for what no frame can hold: that is our mistake, never the device's. */
export function pduOf(request: Request): Buffer {
  if (request.address < 0 || request.address > 0xffff) throw new RangeError(`address ${request.address}`)
  if (!isWrite(request)) return head(request, request.words)
  if ('value' in request) {
    if (request.write === 'coil') return head(request, request.value ? ON : 0)
    return head(request, word(request.value))
  }
  const { values, write } = request
  if (values.length < 1 || values.length > MAX_WRITE[write]) throw new RangeError(`${values.length} values in one write`)
  const data = write === 'coils' ? packBits(values) : packWords(values)
  return Buffer.concat([head(request, values.length), Buffer.from([data.length]), data])
}

function head(request: Request, second: number): Buffer {
  const pdu = Buffer.allocUnsafe(5)
  pdu.writeUInt8(functionOf(request), 0)
  pdu.writeUInt16BE(request.address, 1)
  pdu.writeUInt16BE(second, 3)
  return pdu
}

function word(value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff) throw new RangeError(`${value} is no 16-bit word`)
  return value
}

function packWords(values: readonly number[]): Buffer {
  const data = Buffer.alloc(values.length * 2)
  for (const [i, value] of values.entries()) data.writeUInt16BE(word(value), 2 * i)
  return data
}

function packBits(values: readonly number[]): Buffer {
  const data = Buffer.alloc(Math.ceil(values.length / 8))
  for (const [i, value] of values.entries()) if (value) data[i >> 3] = (data[i >> 3] ?? 0) | (1 << (i & 7))
  return data
}

export function expectedOf(request: Request): Expected {
  const fc = functionOf(request)
  if (isWrite(request)) return { unit: request.unit, fc, pduBytes: 5, count: null }
  const count = isBitSpace(request.space) ? Math.ceil(request.words / 8) : request.words * 2
  return { unit: request.unit, fc, pduBytes: 2 + count, count }
}

/** What the PDU of a whole frame says to the request. One that is not the answer to it, by function, length, count or echo, is a `bad_reply`. */
export function readPdu(pdu: Buffer, request: Request): Reply {
  const { fc, pduBytes, count } = expectedOf(request)
  if (pdu[0] === (fc | EXCEPTION)) return { kind: 'bad', reason: pdu.length === 2 ? reasonOfException(pdu[1] ?? 0) : 'bad_reply' }
  if (pdu[0] !== fc || pdu.length !== pduBytes || (count !== null && pdu[1] !== count)) return { kind: 'bad', reason: 'bad_reply' }
  if (isWrite(request)) return isEcho(pdu, request) ? { kind: 'written' } : { kind: 'bad', reason: 'bad_reply' }
  const words = new Array<number>(request.words)
  if (isBitSpace(request.space)) for (let i = 0; i < words.length; i++) words[i] = ((pdu[2 + (i >> 3)] ?? 0) >> (i & 7)) & 1
  else for (let i = 0; i < words.length; i++) words[i] = pdu.readUInt16BE(2 + 2 * i)
  return { kind: 'words', words }
}

/** FC 5 and 6 repeat the whole request, FC 15 and 16 address and count. */
function isEcho(pdu: Buffer, request: WriteRequest): boolean {
  return pdu.equals(pduOf(request).subarray(0, 5))
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
