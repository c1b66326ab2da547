import { MAX_TIME_MS } from './sift.ts'

/** Times t with from <= t < to, whole ms. */
export type Span = { readonly from: number; readonly to: number }
export type Count = { readonly t: number; readonly count: number }

/** The whole milliseconds of a query's span, within what a store can hold. */
export function wholeSpan({ from, to }: Span): Span {
  const clamp = (ms: number): number => Math.min(Math.max(Math.ceil(ms), 0), MAX_TIME_MS + 1)
  return { from: clamp(from), to: clamp(to) }
}

const PARTS = 64

/**
 * Cuts a span into pieces of at most `most` samples each, so that a year can be read in bounded memory; a single ms that holds more is one piece.
 * Pieces without samples are left out. `countBy` tells, for buckets that start at whole multiples of `bucketMs`, how much each holds, by time.
 */
export async function* pieces(
  span: Span,
  options: { most: number; countBy: (span: Span, bucketMs: number) => Promise<readonly Count[]> },
): AsyncGenerator<Span> {
  if (span.from >= span.to) return
  const bucketMs = Math.max(1, Math.ceil((span.to - span.from) / PARTS))
  let held = 0
  let start = span.from
  let end = span.from
  for (const { t, count } of await options.countBy(span, bucketMs)) {
    const bucket = { from: Math.max(t, span.from), to: Math.min(t + bucketMs, span.to) }
    if (held > 0 && held + count > options.most) {
      yield { from: start, to: end }
      held = 0
    }
    if (count > options.most && bucketMs > 1) {
      yield* pieces(bucket, options)
      continue
    }
    if (held === 0) start = bucket.from
    end = bucket.to
    held += count
  }
  if (held > 0) yield { from: start, to: end }
}
