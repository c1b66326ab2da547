/** Repeatable randomness: the same seed and keys give the same number in any process, at any time, in any order. */

/** @returns a number from 0 (included) to 1 (excluded). */
export function unit(seed: number, ...keys: readonly (string | number)[]): number {
  let h = (0x811c9dc5 ^ seed) >>> 0
  for (const key of keys) {
    for (const char of `${key}|`) h = Math.imul(h ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0
  }
  // FNV-1a leaves neighbours alike; MurmurHash3's finalizer spreads them.
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0
  return ((h ^ (h >>> 16)) >>> 0) / 0x1_0000_0000
}

/** @returns a number from −1 to 1. */
export const swing = (seed: number, ...keys: readonly (string | number)[]): number => 2 * unit(seed, ...keys) - 1
