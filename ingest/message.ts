import { inflateSync } from 'node:zlib'
import { toBatchId } from '#contract/batch.ts'
import {
  DecodeFault,
  decodePayload,
  encodePayload,
  metricValue,
  type RawPayload,
  type SparkplugMetric,
} from '#contract/sparkplug/payload.ts'
import { NAMES } from '#contract/topics.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Birth } from './births.ts'

/** What a Sparkplug message holds, read without regard to what came before it. */

export type NamedMetric = SparkplugMetric & { name: string }

/** Null without a quality says nothing; nor does what our agent has not read yet, and it must not hide what was read before. */
export const isUnsaid = (m: SparkplugMetric, { receipts }: Birth): boolean =>
  m.value === null && (m.quality === undefined || (receipts && m.reason === 'no_value'))

export type Keep = { as: 'foreign' } | { as: 'live only' } | { as: 'batch'; id: ReturnType<typeof toBatchId> }

/** Our agents' data without a batch id are live values sent ahead of their batch: shown, never stored. */
export function keepOf(metrics: readonly NamedMetric[]): Keep {
  const id = metrics.find((m) => m.name === NAMES.batch)?.value
  return typeof id === 'bigint' ? { as: 'batch', id: toBatchId(id) } : { as: 'live only' }
}

/** What a small message may become: far more than a batch is, far less than what would fill the memory. */
const MOST_INFLATED = 1_048_576

/** @throws DecodeFault */
export function decodeMessage(payload: Uint8Array): RawPayload {
  const decoded = decodePayload(payload)
  return decoded.packed ? unpacked(decoded, decoded.packed) : decoded
}

/** @throws DecodeFault */
function unpacked(outer: RawPayload, body: Uint8Array): RawPayload {
  try {
    const inner = decodePayload(inflateSync(body, { maxOutputLength: MOST_INFLATED }))
    return { ...outer, ...inner, ...(outer.seq === undefined ? {} : { seq: outer.seq }) }
  } catch (cause) {
    throw new DecodeFault('a compressed payload that can not be inflated', { cause })
  }
}

/** A number whose type nobody has told can't be written again; it is refused as it is. */
export function namedPayload(metrics: readonly NamedMetric[], timestamp: UnixMs): Uint8Array {
  const named = metrics.filter((m) => typeof m.value !== 'number' || m.datatype !== undefined)
  return encodePayload({ timestamp, metrics: named.map(({ alias: _alias, ...metric }) => metric) })
}

export function bdSeqOf(payload: RawPayload): number | undefined {
  const metric = payload.metrics.find((m) => m.name === NAMES.bdSeq)
  const value = metric ? metricValue(metric) : undefined
  return typeof value === 'bigint' || typeof value === 'number' ? Number(value) : undefined
}
