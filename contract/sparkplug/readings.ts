import { shortestFloat32 } from '../float32.ts'
import { type Metric, metricOf } from '../metrics.ts'
import { bad, good, isBadReason, type Reading, SPARKPLUG_QUALITY, stale } from '../reading.ts'
import type { UnixMs } from '../units.ts'
import { unixMs } from '../units.ts'
import type { SparkplugMetric } from './payload.ts'

export type TimedReading = { readonly t: UnixMs; readonly reading: Reading }

/** A reading as a Sparkplug metric of the catalogue's type, named by alias; Double where an older catalogue does not know the metric. */
export function metricOfReading(
  name: string,
  alias: number,
  { t, reading }: TimedReading,
  options: { historical: boolean },
): SparkplugMetric {
  const known = metricOf(name)
  const metric: SparkplugMetric = { alias, timestamp: t, datatype: known?.datatype ?? 'Double', value: null }
  if (options.historical) metric.historical = true
  if (reading.quality !== 'good') metric.quality = SPARKPLUG_QUALITY[reading.quality]
  if (reading.quality === 'bad') metric.reason = reading.reason
  else metric.value = known ? wireValue(known, reading.value) : reading.value
  return metric
}

function wireValue(metric: Metric, value: number): number | boolean {
  switch (metric.datatype) {
    case 'Boolean':
      return value !== 0
    case 'Int32':
      return Math.trunc(value)
    case 'Float':
    case 'Double':
      return value
  }
}

/** A value as the wire will give it back: what an agent keeps, so that its disk and history hold the same number. */
export function asTransmitted(name: string, reading: Reading): Reading {
  const known = metricOf(name)
  if (!known || reading.quality === 'bad') return reading
  const value = known.datatype === 'Float' ? shortestFloat32(reading.value) : Number(wireValue(known, reading.value))
  return { ...reading, value }
}

/** Reads a metric's value and quality. @returns the reason as text when it can never be a sample: a string, a blob, a 64-bit overflow. */
export function readingOfMetric(metric: SparkplugMetric, payloadTime: UnixMs): TimedReading | { refused: string } {
  const t = metric.timestamp === undefined ? payloadTime : unixMs(metric.timestamp)
  const quality = metric.quality ?? SPARKPLUG_QUALITY.good
  // Gateways forward codes of their own (OPC, vendors): only the standard's GOOD and STALE are values to rely on.
  if (quality !== SPARKPLUG_QUALITY.good && quality !== SPARKPLUG_QUALITY.stale) {
    return { t, reading: bad(metric.reason !== undefined && isBadReason(metric.reason) ? metric.reason : 'foreign_bad') }
  }
  const { value } = metric
  if (value === null) return { t, reading: bad('no_value') }
  const number =
    typeof value === 'boolean' ? Number(value) : typeof value === 'bigint' || typeof value === 'number' ? Number(value) : undefined
  if (number === undefined) return { refused: `a ${metric.datatype ?? typeof value} is not a measured value` }
  if (!Number.isFinite(number)) return { t, reading: bad('not_a_number') }
  return { t, reading: quality === SPARKPLUG_QUALITY.stale ? stale(number) : good(number) }
}
