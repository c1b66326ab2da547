import { good } from '#contract/reading.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { Sample } from './port.ts'

/** What an analyst has ruled of a stretch of one metric. It lies over the samples, which stay as they are. Of two that overlap the later in the list holds. */
export type Correction = {
  readonly gate: string
  readonly metric: string
  /** Inclusive. */
  readonly from: UnixMs
  /** Exclusive. */
  readonly to: UnixMs
  readonly ruling:
    | { readonly kind: 'bad' }
    /** A constant in place of what was measured. */
    | { readonly kind: 'value'; readonly value: number }
    /** Samples in place of what was measured; those outside the stretch are passed over. */
    | { readonly kind: 'samples'; readonly samples: readonly { readonly t: UnixMs; readonly value: number }[] }
}

/** A sample after the corrections: `by` says what was done to it. */
export type Corrected = { readonly sample: Sample; readonly by: 'nothing' | 'marked-bad' | 'replaced' }

/** A constant is laid down as samples this close together, so that no gap is seen in it. */
const CONSTANT_EVERY_MS = 300_000

/** @returns the samples of one gate and metric in [from, to) as corrected, by time. */
export function correct(
  samples: readonly Sample[],
  corrections: readonly Correction[],
  span: { gate: string; metric: string; from: number; to: number },
): Corrected[] {
  const mine = corrections.filter((c) => c.gate === span.gate && c.metric === span.metric && c.from < span.to && c.to > span.from)
  if (mine.length === 0) return samples.map((sample) => ({ sample, by: 'nothing' }))
  const rulingAt = (t: number): Correction | undefined => mine.findLast((c) => t >= c.from && t < c.to)
  const kept = samples.flatMap((sample): Corrected[] => {
    const ruling = rulingAt(sample.t)
    if (!ruling) return [{ sample, by: 'nothing' }]
    return ruling.ruling.kind === 'bad' ? [{ sample, by: 'marked-bad' }] : []
  })
  const laid = mine.flatMap((c) =>
    [...samplesOf(c)]
      .filter(({ t }) => t >= span.from && t < span.to && rulingAt(t) === c)
      .map(({ t, value }): Corrected => {
        const sample: Sample = { gate: c.gate, metric: c.metric, t: unixMs(t), received: unixMs(t), reading: good(value) }
        return { sample, by: 'replaced' }
      }),
  )
  return [...kept, ...laid].toSorted((a, b) => a.sample.t - b.sample.t)
}

function* samplesOf({ from, to, ruling }: Correction): Generator<{ t: number; value: number }> {
  if (ruling.kind === 'samples') yield* ruling.samples.toSorted((a, b) => a.t - b.t).filter(({ t }) => t >= from && t < to)
  if (ruling.kind !== 'value') return
  for (let t: number = from; t < to; t += CONSTANT_EVERY_MS) yield { t, value: ruling.value }
  if ((to - from) % CONSTANT_EVERY_MS !== 1) yield { t: to - 1, value: ruling.value }
}
