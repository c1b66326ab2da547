/** Modbus TCP frames: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 3.1.3. */

export type Frame = { readonly transaction: number; readonly unit: number; readonly pdu: Buffer }

/** Transaction, protocol, length. The unit, which `length` counts, follows. */
const HEADER_BYTES = 6
/** A PDU has 1 to 253 bytes, and the unit is counted with it. */
const LENGTHS = { least: 2, most: 254 }

/** @returns the whole frames at the beginning of `bytes` and what is left over, or null for what is no Modbus TCP. */
export function takeFrames(bytes: Buffer): { readonly frames: readonly Frame[]; readonly rest: Buffer } | null {
  const frames: Frame[] = []
  let at = 0
  while (bytes.length - at >= HEADER_BYTES) {
    const length = bytes.readUInt16BE(at + 4)
    if (bytes.readUInt16BE(at + 2) !== 0 || length < LENGTHS.least || length > LENGTHS.most) return null
    const end = at + HEADER_BYTES + length
    if (end > bytes.length) break
    frames.push({
      transaction: bytes.readUInt16BE(at),
      unit: bytes.readUInt8(at + HEADER_BYTES),
      pdu: bytes.subarray(at + HEADER_BYTES + 1, end),
    })
    at = end
  }
  return { frames, rest: bytes.subarray(at) }
}

/** @param options.lengthError added to the length field: a frame that is what no standard allows. */
export function encodeFrame({ transaction, unit, pdu }: Frame, options: { readonly lengthError?: number } = {}): Buffer {
  const header = Buffer.alloc(HEADER_BYTES + 1)
  header.writeUInt16BE(transaction, 0)
  header.writeUInt16BE((pdu.length + 1 + (options.lengthError ?? 0)) & 0xffff, 4)
  header.writeUInt8(unit, HEADER_BYTES)
  return Buffer.concat([header, pdu])
}
