import { drawable } from '#contract/reading.ts'
import type { RangeColumns, Sample, SeriesColumns } from './port.ts'

/** What one bucket of one metric holds; null where nothing in it can be drawn. */
export type Bucket = {
  readonly t: number
  readonly metric: string
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
  readonly bad: number
}

/** A sample as the bucket that holds nothing else. */
export function bucketOf({ t, metric, reading }: Pick<Sample, 't' | 'metric' | 'reading'>): Bucket {
  const value = drawable(reading)
  return { t, metric, min: value, max: value, mean: value, bad: reading.quality === 'good' ? 0 : 1 }
}

/** Lays the buckets of several metrics on one time axis. */
export function columnsOf(buckets: readonly Bucket[], options: { metrics: readonly string[]; bucketMs: number }): RangeColumns {
  const t = [...new Set(buckets.map((b) => b.t))].sort((a, b) => a - b)
  const places = new Map(t.map((time, place) => [time, place]))
  const series = new Map(options.metrics.map((metric) => [metric, emptySeries(t.length)]))
  for (const bucket of buckets) {
    const columns = series.get(bucket.metric)
    const place = places.get(bucket.t)
    if (!columns || place === undefined) continue
    columns.min[place] = bucket.min
    columns.max[place] = bucket.max
    columns.mean[place] = bucket.mean
    columns.bad[place] = bucket.bad
  }
  return { bucketMs: options.bucketMs, t, series: Object.fromEntries(series) }
}

function emptySeries(length: number): SeriesColumns {
  const empty = (): (number | null)[] => new Array<number | null>(length).fill(null)
  return { min: empty(), max: empty(), mean: empty(), bad: new Array<number>(length).fill(0) }
}
