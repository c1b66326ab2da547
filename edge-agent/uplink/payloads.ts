import type { BatchId } from '#contract/batch.ts'
import { HEALTH_KEYS, healthMetrics, type SiteHealth } from '#contract/health.ts'
import { encodeLost } from '#contract/lost.ts'
import { type Reading, SPARKPLUG_QUALITY } from '#contract/reading.ts'
import type { SparkplugMetric } from '#contract/sparkplug/payload.ts'
import { metricOfReading, type TimedReading } from '#contract/sparkplug/readings.ts'
import { NAMES } from '#contract/topics.ts'
import type { UnixMs } from '#contract/units.ts'
import type { LostBatch } from '../outbox/outbox.ts'
import type { UplinkSettings } from '../settings.ts'

/** The metrics of our Sparkplug messages. Pure. [tck-id-payloads-name-birth-data-requirement]: each carries a timestamp. */

/** The same metric stands in the NBIRTH and in the NDEATH of one MQTT session. */
export const sessionMetric = (bdSeq: number, timestamp: UnixMs): SparkplugMetric => ({
  name: NAMES.bdSeq,
  timestamp,
  datatype: 'Int64',
  value: BigInt(bdSeq),
})

/** `receipts`: a host that reads `Outbox/Batch` here answers our batches with receipts. */
export function nodeBirth(
  bdSeq: number,
  timestamp: UnixMs,
  options: {
    receipts: boolean
    deflate: UplinkSettings['deflate']
    health: SiteHealth
    control: 'keyed' | 'none'
    config: 'taken' | 'none'
  },
): SparkplugMetric[] {
  const metrics: SparkplugMetric[] = [
    sessionMetric(bdSeq, timestamp),
    { name: NAMES.rebirth, timestamp, datatype: 'Boolean', value: false },
    { name: NAMES.commissioning, timestamp, datatype: 'String', value: null },
    { name: NAMES.commissioningReceipt, timestamp, datatype: options.control === 'keyed' ? 'Bytes' : 'String', value: null },
  ]
  if (options.receipts) {
    metrics.push(
      { name: NAMES.batch, timestamp, datatype: 'UInt64', value: null },
      { name: NAMES.receipt, timestamp, datatype: 'Bytes', value: null },
      { name: NAMES.lost, timestamp, datatype: 'String', value: null },
    )
  }
  if (options.control === 'keyed') {
    metrics.push(
      { name: NAMES.nonce, timestamp, datatype: 'Bytes', value: null },
      { name: NAMES.time, timestamp, datatype: 'Bytes', value: null },
    )
  }
  if (options.config === 'taken') {
    metrics.push(
      { name: NAMES.configOrder, timestamp, datatype: 'Bytes', value: null },
      { name: NAMES.configNews, timestamp, datatype: 'Bytes', value: null },
    )
  }
  if (options.deflate === 'agreed') metrics.push({ name: NAMES.deflate, timestamp, datatype: 'Boolean', value: null })
  return [...metrics, ...healthMetrics(options.health, { keys: HEALTH_KEYS, timestamp, as: 'birth' })]
}

type DeviceBirth = {
  /** Every name that the device may ever send, `Outbox/Batch` too. */
  readonly aliases: ReadonlyMap<string, number>
  readonly newest: ReadonlyMap<string, TimedReading>
}

/** Each metric with name, alias, type and newest value; is_null and BAD where none has been read yet. */
export function deviceBirth({ aliases, newest }: DeviceBirth, timestamp: UnixMs, options: { receipts: boolean }): SparkplugMetric[] {
  return [...aliases].flatMap(([name, alias]): SparkplugMetric[] => {
    if (name === NAMES.batch) return options.receipts ? [{ name, alias, timestamp, datatype: 'UInt64', value: null }] : []
    // They come with their values from who holds them, or, at a site that has no keys any more, not at all.
    if (name.startsWith('Command/')) return []
    const timed = newest.get(name) ?? { t: timestamp, reading: { quality: 'bad', reason: 'no_value' } }
    return [{ name, ...metricOfReading(name, alias, timed, { historical: false }), quality: SPARKPLUG_QUALITY[timed.reading.quality] }]
  })
}

type Samples = {
  readonly aliases: ReadonlyMap<string, number>
  readonly samples: readonly { readonly t: UnixMs; readonly readings: ReadonlyMap<string, Reading> }[]
  /** The time of the newest reading of a metric that the agent has taken. */
  readonly newestT: (metric: string) => UnixMs
}

/** Readings by alias, each with its own time; is_historical on those that are no longer the newest of their metric. */
export function dataMetrics({ aliases, samples, newestT }: Samples): SparkplugMetric[] {
  return samples.flatMap(({ t, readings }) =>
    [...readings].flatMap(([name, reading]) => {
      const alias = aliases.get(name)
      return alias === undefined ? [] : [metricOfReading(name, alias, { t, reading }, { historical: t < newestT(name) })]
    }),
  )
}

/** The id that the host's receipt will name. */
export function batchMetric(aliases: ReadonlyMap<string, number>, id: BatchId, timestamp: UnixMs): SparkplugMetric {
  const alias = aliases.get(NAMES.batch)
  return { ...(alias === undefined ? { name: NAMES.batch } : { alias }), timestamp, datatype: 'UInt64', value: id }
}

/** Of the node itself, and seldom: by name. */
export const lostMetrics = ({ id, lost }: LostBatch, timestamp: UnixMs): SparkplugMetric[] => [
  { name: NAMES.batch, timestamp, datatype: 'UInt64', value: id },
  { name: NAMES.lost, timestamp, datatype: 'String', value: encodeLost(lost) },
]
