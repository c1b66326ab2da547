import { type ProfilePoint, registersOf, type WordOrder } from '#contract/profile.ts'

/** How a simulated device puts a raw number into its registers. Written apart from the agent's decoder, so that each is a check on the other. */

type Encoding = Pick<ProfilePoint, 'type' | 'order'> & { readonly bit?: number; readonly bits?: number }

/** Held within the type; NaN becomes 0 where the type has none. */
export function encodeRaw(raw: number, { type, order, bit = 0, bits = 16 - bit }: Encoding): number[] {
  const bytes = Buffer.alloc(2 * registersOf(type))
  switch (type) {
    case 'bit':
      bytes.writeUInt16BE((raw >= 0.5 ? 1 : 0) << bit)
      return words(bytes)
    case 'bits':
      bytes.writeUInt16BE(held(raw, 0, 2 ** bits - 1) << bit)
      return words(bytes)
    case 'int16':
      bytes.writeInt16BE(held(raw, -0x8000, 0x7fff))
      break
    case 'uint16':
      bytes.writeUInt16BE(held(raw, 0, 0xffff))
      break
    case 'sign_magnitude16':
      bytes.writeUInt16BE(raw < 0 ? 0x8000 + held(-raw, 0, 0x7fff) : held(raw, 0, 0x7fff))
      break
    case 'bcd16':
      bytes.write(String(held(raw, 0, 9999)).padStart(4, '0'), 'hex')
      break
    case 'bcd32':
      bytes.write(String(held(raw, 0, 99_999_999)).padStart(8, '0'), 'hex')
      break
    case 'int32':
      bytes.writeInt32BE(held(raw, -0x8000_0000, 0x7fff_ffff))
      break
    case 'uint32':
      bytes.writeUInt32BE(held(raw, 0, 0xffff_ffff))
      break
    case 'float32':
      bytes.writeFloatBE(raw)
      break
    case 'int64':
      bytes.writeBigInt64BE(BigInt(held(raw, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)))
      break
    case 'uint64':
      bytes.writeBigUInt64BE(BigInt(held(raw, 0, Number.MAX_SAFE_INTEGER)))
      break
    case 'float64':
      bytes.writeDoubleBE(raw)
      break
    case 'long_float': {
      const whole = Math.trunc(held(raw, -0x8000_0000, 0x7fff_ffff, Math.trunc))
      bytes.writeInt32BE(whole)
      bytes.writeFloatBE(raw - whole, 4)
      return [...inOrder(bytes.subarray(0, 4), order), ...inOrder(bytes.subarray(4), order)]
    }
  }
  return inOrder(bytes, order)
}

function held(raw: number, min: number, max: number, toWhole: (n: number) => number = Math.round): number {
  return Number.isNaN(raw) ? 0 : Math.min(Math.max(toWhole(raw), min), max)
}

/** @param bytes the most significant first. */
function inOrder(bytes: Buffer, order: WordOrder): number[] {
  switch (order) {
    case 'ABCD':
      return words(bytes)
    case 'CDAB':
      return words(bytes).reverse()
    case 'BADC':
      return words(Buffer.from(bytes).swap16())
    case 'DCBA':
      return words(Buffer.from(bytes).reverse())
  }
}

const words = (bytes: Buffer): number[] => Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16BE(2 * i))
