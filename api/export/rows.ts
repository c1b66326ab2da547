import { drawable, type Reading } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import type { History, Sample } from '#history/port.ts'

export type ExportAsked = {
  readonly gates: readonly string[]
  readonly metrics: readonly string[]
  readonly from: number
  readonly to: number
}
export type Tell = (progress: { rows: number; share: number }) => void

/** Encoders take samples by so many. */
const ROWS_AT_ONCE = 2000

/** Every sample asked for, gate by gate and by time, in blocks; ends early, without a word, when `signal` aborts: nobody listens any more. */
export async function* blocksOf(
  history: Pick<History, 'samples'>,
  { gates, metrics, from, to }: ExportAsked,
  { tell, signal }: { tell: Tell; signal: AbortSignal },
): AsyncGenerator<readonly Sample[]> {
  let rows = 0
  for (const [i, gate] of gates.entries()) {
    let block: Sample[] = []
    for await (const sample of history.samples({ gate, metrics, from: unixMs(from), to: unixMs(to) })) {
      block.push(sample)
      if (block.length < ROWS_AT_ONCE) continue
      if (signal.aborted) return
      rows += block.length
      tell({ rows, share: (i + (sample.t - from) / (to - from)) / gates.length })
      yield block
      block = []
    }
    if (signal.aborted) return
    rows += block.length
    tell({ rows, share: (i + 1) / gates.length })
    if (block.length > 0) yield block
  }
}

/** good, stale, or why a reading is bad. */
export const qualityName = (reading: Reading): string => (reading.quality === 'bad' ? reading.reason : reading.quality)
export const verdictName = ({ verdict }: Sample): string => (verdict ? `${verdict.level}:${verdict.cause}` : '')
export const drawnValue = ({ reading }: Sample): number | null => drawable(reading)

/** Local time with its offset, as ISO 8601: 2026-07-01T08:00:00.000+08:00. */
export function localTime(offsetMin: number): (t: number) => string {
  const sign = offsetMin < 0 ? '-' : '+'
  const [hours, minutes] = [Math.floor(Math.abs(offsetMin) / 60), Math.abs(offsetMin) % 60]
  const suffix = `${sign}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`
  return (t) => new Date(t + offsetMin * 60_000).toISOString().slice(0, -1) + suffix
}
