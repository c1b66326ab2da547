import { metricOf } from '#contract/metrics.ts'
import { bad, good, type Reading } from '#contract/reading.ts'
import { asTransmitted } from '#contract/sparkplug/readings.ts'

/** A number of a metric as a reading: GOOD within the catalogue's range, else BAD. A GOOD value is the one that history will hold. */
export function judge(metric: string, value: number): Reading {
  const known = metricOf(metric)
  if (!known || Number.isNaN(value)) return bad('not_a_number')
  const [min, max] = known.range
  return value < min || value > max ? bad('out_of_range') : asTransmitted(metric, good(value))
}
