import type { Found, Framing } from './framing.ts'
import { EXCEPTION, type Expected } from './request.ts'

/** Modbus RTU frames, on a serial line or carried over TCP: MODBUS over Serial Line V1.02, §2.5.1. */

/** Unit and check sum around the PDU. */
const AROUND = 3
/** What is kept to look for a frame in: twice the longest. */
const MOST_KEPT = 512

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  return crc
})

/** CRC-16 of Modbus (polynomial 0xA001, start 0xFFFF) of `bytes` from `start` to before `end`. On the line its low byte goes first. */
export function crc16(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0xffff
  for (let i = start; i < end; i++) crc = (crc >> 8) ^ (TABLE[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0)
  return crc
}

export function rtuFrame(unit: number, pdu: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(pdu.length + AROUND)
  frame.writeUInt8(unit, 0)
  pdu.copy(frame, 1)
  frame.writeUInt16LE(crc16(frame, 0, pdu.length + 1), pdu.length + 1)
  return frame
}

/** @param noise what a DTU strews into the stream, in the middle of a frame too: its registration and its heartbeat. */
export function rtuFraming(noise: readonly Buffer[] = []): Framing {
  return {
    kind: 'rtu',
    encode: rtuFrame,
    take(received, expected) {
      const found = scan(received, expected)
      if (found.kind !== 'incomplete' || !expected) return found
      for (const without of withoutNoise(received, noise)) {
        const cleaned = scan(without, expected)
        if (cleaned.kind === 'reply') return cleaned
      }
      // A frame that looks damaged may be one with noise in it whose end has not come.
      return found.damaged && mayHoldNoise(received, noise) ? { ...found, damaged: false } : found
    },
  }
}

/** Looks for a whole frame at each place, so that whatever stands before it does not matter. */
function scan(received: Buffer, expected: Expected | null): Found {
  let damaged = false
  for (let at = 0; at + 1 + AROUND <= received.length; at++) {
    const unit = received[at] ?? 0
    const fc = received[at + 1] ?? 0
    const left = received.length - at
    const ours = expected ? lengthOfOurs(received, at, expected) : 0
    const length = ours || lengthByShape(fc, received[at + 2] ?? 0)
    if (length === 0 || length > left) continue
    if (crc16(received, at, at + length - 2) !== received.readUInt16LE(at + length - 2)) {
      damaged ||= ours > 0
      continue
    }
    const rest = received.subarray(at + length)
    if (ours > 0) return { kind: 'reply', unit, pdu: received.subarray(at + 1, at + length - 2), rest }
    return { kind: 'foreign', unit, fc, rest }
  }
  return { kind: 'incomplete', rest: received.length > MOST_KEPT ? received.subarray(received.length - MOST_KEPT) : received, damaged }
}

/** @returns the length of the frame that begins here if it is the one expected, else 0. */
function lengthOfOurs(received: Buffer, at: number, { unit, fc, pduBytes, count }: Expected): number {
  if (received[at] !== unit) return 0
  if (received[at + 1] === (fc | EXCEPTION)) return 2 + AROUND
  return received[at + 1] === fc && (count === null || received[at + 2] === count) ? pduBytes + AROUND : 0
}

/** @returns the length of any reply of this function, or 0 for one that we never ask. */
function lengthByShape(fc: number, count: number): number {
  if (fc >= 1 && fc <= 4) return 2 + count + AROUND
  if (fc === 5 || fc === 6 || fc === 15 || fc === 16) return 5 + AROUND
  return fc > EXCEPTION && fc <= (EXCEPTION | 0x18) ? 2 + AROUND : 0
}

/** The same bytes with every piece of noise cut out, then with each single one. */
function* withoutNoise(received: Buffer, noise: readonly Buffer[]): Generator<Buffer> {
  const places = noise.flatMap((piece) => placesOf(received, piece).map((at) => ({ at, end: at + piece.length })))
  if (places.length === 0) return
  yield cutOut(
    received,
    places.toSorted((a, b) => a.at - b.at),
  )
  if (places.length > 1) for (const place of places) yield cutOut(received, [place])
}

function placesOf(received: Buffer, piece: Buffer): number[] {
  const places: number[] = []
  for (let at = received.indexOf(piece); at >= 0; at = received.indexOf(piece, at + piece.length)) places.push(at)
  return places
}

function cutOut(received: Buffer, places: readonly { readonly at: number; readonly end: number }[]): Buffer {
  const kept: Buffer[] = []
  let from = 0
  for (const { at, end } of places) {
    if (at < from) continue
    kept.push(received.subarray(from, at))
    from = end
  }
  return Buffer.concat([...kept, received.subarray(from)])
}

function mayHoldNoise(received: Buffer, noise: readonly Buffer[]): boolean {
  return noise.some((piece) => {
    if (received.includes(piece)) return true
    for (let n = Math.min(piece.length - 1, received.length); n > 0; n--) {
      if (received.subarray(received.length - n).equals(piece.subarray(0, n))) return true
    }
    return false
  })
}
