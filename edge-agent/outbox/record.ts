import { crc32 } from 'node:zlib'
import { bad, good, isBadReason, type Reading, stale } from '#contract/reading.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'

/** What one append keeps: one device's readings of one instant, metrics by alias. */
export type OutboxRecord = {
  readonly device: string
  readonly t: UnixMs
  readonly readings: ReadonlyMap<number, Reading>
}

/** A value is GOOD, a text a reason for BAD, an object STALE. */
type KeptReading = number | string | { s: number }

const CRC_BYTES = 4

/** A record as it lies on the disk: CRC-32, then JSON. The disk has no checksums of its own. */
export function encodeRecord(record: OutboxRecord): Buffer {
  const kept = [...record.readings].map(([alias, r]): [number, KeptReading] => [
    alias,
    r.quality === 'bad' ? r.reason : r.quality === 'good' ? r.value : { s: r.value },
  ])
  const json = Buffer.from(JSON.stringify([record.device, record.t, kept]))
  const bytes = Buffer.allocUnsafe(CRC_BYTES + json.length)
  bytes.writeUInt32BE(crc32(json), 0)
  json.copy(bytes, CRC_BYTES)
  return bytes
}

/** @returns undefined when the bytes are not what was written. */
export function decodeRecord(bytes: Buffer): OutboxRecord | undefined {
  if (bytes.length <= CRC_BYTES || bytes.readUInt32BE(0) !== crc32(bytes.subarray(CRC_BYTES))) return undefined
  // The checksum holds, so this is what encodeRecord wrote.
  const [device, t, kept] = JSON.parse(bytes.toString('utf8', CRC_BYTES)) as [string, number, [number, KeptReading][]]
  return { device, t: unixMs(t), readings: new Map(kept.map(([alias, r]) => [alias, toReading(r)])) }
}

function toReading(kept: KeptReading): Reading {
  if (typeof kept === 'number') return good(kept)
  if (typeof kept === 'object') return stale(kept.s)
  // A reason of a newer version, after a step back.
  return bad(isBadReason(kept) ? kept : 'foreign_bad')
}
