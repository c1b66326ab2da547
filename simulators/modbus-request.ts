import { ModbusException } from './modbus-exception.ts'

/** The requests that a device of registers answers: MODBUS Application Protocol V1.1b3, sections 6.3, 6.4, 6.6 and 6.12. */

export type ReadRequest = { readonly kind: 'read'; readonly fc: 3 | 4; readonly address: number; readonly length: number }
export type WriteRequest = { readonly kind: 'write'; readonly fc: 6 | 16; readonly address: number; readonly words: readonly number[] }
export type ModbusRequest = ReadRequest | WriteRequest

const MOST_WORDS_READ = 125
const MOST_WORDS_WRITTEN = 123

/** @throws ModbusException for every other function, and for a request that is not what its function demands. */
export function parseRequest(pdu: Buffer): ModbusRequest {
  const fc = pdu[0]
  switch (fc) {
    case 3:
    case 4: {
      const [address, length] = head(pdu, 5)
      if (length < 1 || length > MOST_WORDS_READ) throw new ModbusException('illegalValue', `${length} registers can't be read at once`)
      return { kind: 'read', fc, address, length }
    }
    case 6: {
      const [address, word] = head(pdu, 5)
      return { kind: 'write', fc, address, words: [word] }
    }
    case 16: {
      const [address, length] = head(pdu, 6)
      const fits = length >= 1 && length <= MOST_WORDS_WRITTEN && pdu[5] === 2 * length && pdu.length === 6 + 2 * length
      if (!fits) throw new ModbusException('illegalValue', 'count and data of the registers to write do not agree')
      return { kind: 'write', fc, address, words: Array.from({ length }, (_, i) => pdu.readUInt16BE(6 + 2 * i)) }
    }
    default:
      throw new ModbusException('illegalFunction', 'the device has registers only')
  }
}

function head(pdu: Buffer, bytes: number): [address: number, second: number] {
  if (pdu.length < bytes) throw new ModbusException('illegalValue', 'the request is cut short')
  return [pdu.readUInt16BE(1), pdu.readUInt16BE(3)]
}

export function readReply({ fc }: ReadRequest, words: readonly number[]): Buffer {
  const pdu = Buffer.alloc(2 + 2 * words.length)
  pdu.writeUInt8(fc, 0)
  pdu.writeUInt8(2 * words.length, 1)
  for (const [i, word] of words.entries()) pdu.writeUInt16BE(word, 2 + 2 * i)
  return pdu
}

/** FC 6 repeats its request, FC 16 its address and count. */
export function writeReply({ fc, address, words }: WriteRequest): Buffer {
  const pdu = Buffer.alloc(5)
  pdu.writeUInt8(fc, 0)
  pdu.writeUInt16BE(address, 1)
  pdu.writeUInt16BE(fc === 6 ? (words[0] ?? 0) : words.length, 3)
  return pdu
}

export const exceptionReply = (request: Buffer, code: number): Buffer => Buffer.from([(request[0] ?? 0) | 0x80, code])
