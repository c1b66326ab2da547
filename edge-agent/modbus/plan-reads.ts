import { isBitSpace, type Point, type Space } from './points.ts'

/** One Modbus request and the points that its reply holds. */
export type Read = {
  readonly space: Space
  readonly address: number
  /** Registers, or bits in a bit space. */
  readonly words: number
  readonly points: readonly Point[]
}

export type BlockLimits = {
  /** Longest read that the device takes, in registers. */
  readonly maxWords: number
}

/** MB §6.1: a read of coils or discrete inputs holds at most 2000 bits. */
const MAX_BITS = 2000

/**
 * Groups points into reads. Registers that no point names are never read: many devices answer a block that holds one with exception 2.
 * @returns reads in the order of space and address; every point is in exactly one.
 */
export function planReads(points: readonly Point[], limits: BlockLimits): Read[] {
  const reads: { space: Space; address: number; words: number; points: Point[] }[] = []
  const sorted = points.toSorted((a, b) => a.space.localeCompare(b.space) || a.address - b.address || a.words - b.words)
  for (const point of sorted) {
    const last = reads.at(-1)
    const end = point.address + point.words
    const longest = isBitSpace(point.space) ? Math.min(MAX_BITS, limits.maxWords * 16) : limits.maxWords
    if (last && last.space === point.space && point.address <= last.address + last.words && end - last.address <= longest) {
      last.words = Math.max(last.words, end - last.address)
      last.points.push(point)
    } else {
      reads.push({ space: point.space, address: point.address, words: point.words, points: [point] })
    }
  }
  return reads
}
