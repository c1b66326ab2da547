declare const batchIdBrand: unique symbol

/** The outbox's random 32-bit epoch (high word) and its counter (low word). Unique over every outbox that ever was. */
export type BatchId = bigint & { readonly [batchIdBrand]: true }

const WORD = 0xffff_ffffn

/** @throws RangeError when a part does not fit in 32 bits: the outbox must start a new epoch before that. */
export function batchId(epoch: number, counter: number): BatchId {
  for (const part of [epoch, counter]) {
    if (!Number.isInteger(part) || part < 0 || part > 0xffff_ffff) throw new RangeError(`${part} is not a 32-bit unsigned integer`)
  }
  return ((BigInt(epoch) << 32n) | BigInt(counter)) as BatchId
}

/** For ids that were decoded from the wire. @throws RangeError for what no outbox can have made. */
export function toBatchId(id: bigint): BatchId {
  if (id < 0n || id > 0xffff_ffff_ffff_ffffn) throw new RangeError(`${id} is not a 64-bit unsigned integer`)
  return id as BatchId
}

export const epochOf = (id: BatchId): number => Number(id >> 32n)
export const counterOf = (id: BatchId): number => Number(id & WORD)

const VERSION = 1

/** The host's word that these batches are durable: one byte of version, then each id as 8 bytes, big-endian. */
export function encodeReceipt(ids: readonly BatchId[]): Uint8Array {
  const bytes = new Uint8Array(1 + ids.length * 8)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, VERSION)
  for (const [i, id] of ids.entries()) view.setBigUint64(1 + i * 8, id)
  return bytes
}

/** @returns the ids, or null when the bytes are not a receipt of a version that we know: nothing may be deleted on it. */
export function decodeReceipt(bytes: Uint8Array): BatchId[] | null {
  if (bytes.length === 0 || bytes[0] !== VERSION || (bytes.length - 1) % 8 !== 0) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: (bytes.length - 1) / 8 }, (_, i) => view.getBigUint64(1 + i * 8) as BatchId)
}
