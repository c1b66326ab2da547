import { openingOfLeaf } from '#contract/metrics.ts'
import type { Reading } from '#contract/reading.ts'

export type LeafReading = { readonly leaf: number; readonly reading: Reading | undefined }

/** One reading for each leaf of a structure, in order; undefined where none has come. */
export function leafReadings(leaves: number, read: (metric: string) => Reading | undefined): LeafReading[] {
  return Array.from({ length: leaves }, (_, i) => ({ leaf: i + 1, reading: read(openingOfLeaf(i + 1)) }))
}

/** From the least to the most open leaf: leaves are never averaged, since one that differs is what matters. */
export type OpeningSpan = {
  readonly min: number
  readonly max: number
  /** Leaves without a value to show. */
  readonly unknown: number
  /** Leaves whose value is old. */
  readonly stale: number
}

/** @returns null when no leaf has a value */
export function spanOf(leaves: readonly LeafReading[]): OpeningSpan | null {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  let [unknown, stale] = [0, 0]
  for (const { reading } of leaves) {
    if (reading === undefined || reading.quality === 'bad') {
      unknown++
      continue
    }
    if (reading.quality === 'stale') stale++
    min = Math.min(min, reading.value)
    max = Math.max(max, reading.value)
  }
  return unknown === leaves.length ? null : { min, max, unknown, stale }
}
