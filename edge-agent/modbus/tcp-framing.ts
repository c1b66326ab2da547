import type { Found, Framing } from './framing.ts'
import type { Expected } from './request.ts'

/** Modbus TCP: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, §3.1.3. */

const HEADER_BYTES = 7
/** The MBAP length counts the unit and the PDU; a PDU holds 1 to 253 bytes. */
const [MIN_LENGTH, MAX_LENGTH] = [2, 254]

/** @param first the transaction before the first one. */
export function tcpFraming(first = 0): Framing {
  let transaction = first
  return {
    kind: 'tcp',
    encode(unit, pdu) {
      transaction = (transaction + 1) & 0xffff
      const frame = Buffer.allocUnsafe(HEADER_BYTES + pdu.length)
      frame.writeUInt16BE(transaction, 0)
      frame.writeUInt16BE(0, 2)
      frame.writeUInt16BE(pdu.length + 1, 4)
      frame.writeUInt8(unit, 6)
      pdu.copy(frame, HEADER_BYTES)
      return frame
    },
    take: (received, expected) => take(received, expected, transaction),
  }
}

function take(received: Buffer, expected: Expected | null, transaction: number): Found {
  if (received.length < HEADER_BYTES) return { kind: 'incomplete', rest: received, damaged: false }
  const length = received.readUInt16BE(4)
  if (received.readUInt16BE(2) !== 0 || length < MIN_LENGTH || length > MAX_LENGTH) return { kind: 'garbage' }
  const end = 6 + length
  if (received.length < end) return { kind: 'incomplete', rest: received, damaged: false }
  const unit = received.readUInt8(6)
  const rest = received.subarray(end)
  if (!expected || received.readUInt16BE(0) !== transaction) return { kind: 'foreign', unit, fc: received.readUInt8(7), rest }
  return { kind: 'reply', unit, pdu: received.subarray(HEADER_BYTES, end), rest }
}
