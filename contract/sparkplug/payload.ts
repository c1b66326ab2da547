import proto from 'sparkplug-payload/lib/sparkplugPayloadProto.js'
import { shortestFloat32 } from '../float32.ts'

const Wire = proto.org.eclipse.tahu.protobuf.Payload
type WirePayload = InstanceType<typeof Wire>
type WireMetric = NonNullable<WirePayload['metrics']>[number]

/** Sparkplug B 3.0 datatypes that Sluice reads and writes, by their code in tahu's sparkplug_b.proto. */
export const DATATYPES = {
  Int8: 1,
  Int16: 2,
  Int32: 3,
  Int64: 4,
  UInt8: 5,
  UInt16: 6,
  UInt32: 7,
  UInt64: 8,
  Float: 9,
  Double: 10,
  Boolean: 11,
  String: 12,
  DateTime: 13,
  Text: 14,
  UUID: 15,
  Bytes: 17,
} as const
export type Datatype = keyof typeof DATATYPES
const DATATYPE_BY_CODE = new Map<number, Datatype>(Object.entries(DATATYPES).map(([k, v]) => [v, k as Datatype]))

export type MetricValue = number | bigint | boolean | string | Uint8Array

/** One metric of a payload. 64-bit integers and DateTime are bigint. */
export type SparkplugMetric = {
  name?: string
  alias?: number
  /** ms since 1970 UTC */
  timestamp?: number
  datatype?: Datatype
  historical?: boolean
  /** null is Sparkplug's is_null. */
  value: MetricValue | null
  quality?: number
  reason?: string
}

/** What was on the wire, before a birth has told the metric's type. */
export type RawMetric = Omit<SparkplugMetric, 'value' | 'datatype'> & {
  /** Undefined where the sender left it out, as DATA may; null for a type that Sluice does not read (DataSet, Template, arrays). */
  datatype: Datatype | null | undefined
  raw: RawValue
}
type RawValue =
  | { field: 'null' }
  | { field: 'int'; bits: number }
  | { field: 'long'; bits: bigint }
  | { field: 'value'; value: MetricValue }
  | { field: 'unread' }

export type SparkplugPayload = { timestamp?: number; seq?: number; metrics: SparkplugMetric[] }
export type RawPayload = {
  timestamp?: number
  seq?: number
  metrics: RawMetric[]
  /** A payload inside, compressed: its metrics are what the message says. */
  packed?: Uint8Array
}

/** How Eclipse Tahu's libraries mark a payload whose body is another one, deflated (zlib) unless it says otherwise. */
const PACKED = 'SPBV1.0_COMPRESSED'

/** The one error that decoding throws, whatever the bytes are. */
export class DecodeFault extends Error {
  override readonly name = 'DecodeFault'
}

/** @throws RangeError when a value does not fit its datatype: that is the caller's fault, never the data's. */
export function encodePayload(payload: SparkplugPayload, options?: { datatypes: 'left to the birth' }): Uint8Array {
  const wire = Wire.create({ metrics: payload.metrics.map(toWire) })
  // [tck-id-payloads-metric-datatype-not-req]: data should not repeat what the birth has told.
  if (options) for (const metric of wire.metrics) delete metric.datatype
  if (payload.timestamp !== undefined) wire.timestamp = payload.timestamp
  if (payload.seq !== undefined) wire.seq = payload.seq
  return Wire.encode(wire).finish()
}

/** Wraps a deflated payload. `seq` stands outside, so that a host that can't inflate still follows it. */
export function encodePacked(packed: { timestamp: number; seq: number; body: Uint8Array }): Uint8Array {
  const { timestamp, seq, body } = packed
  return Wire.encode(Wire.create({ timestamp, seq, uuid: PACKED, body })).finish()
}

/** @throws DecodeFault and nothing else. */
export function decodePayload(bytes: Uint8Array): RawPayload {
  try {
    const wire = Wire.decode(bytes)
    const payload: RawPayload = { metrics: wire.metrics.map(fromWire) }
    if (has(wire, 'timestamp')) payload.timestamp = safeNumber(wire.timestamp)
    if (has(wire, 'seq')) payload.seq = safeNumber(wire.seq)
    if (wire.uuid === PACKED && has(wire, 'body')) payload.packed = Uint8Array.from(wire.body ?? [])
    return payload
  } catch (cause) {
    throw new DecodeFault('not a Sparkplug B payload', { cause })
  }
}

/** The metric's value by the type that it carries or, without one, by the type that the birth gave. */
export function metricValue(metric: RawMetric, birthType?: Datatype): MetricValue | null | undefined {
  const { raw } = metric
  const type = metric.datatype ?? birthType
  switch (raw.field) {
    case 'null':
      return null
    case 'unread':
      return undefined
    case 'int':
      return type === 'Int8'
        ? (raw.bits << 24) >> 24
        : type === 'Int16'
          ? (raw.bits << 16) >> 16
          : type === 'Int32'
            ? raw.bits | 0
            : raw.bits
    case 'long':
      return type === 'Int64' ? BigInt.asIntN(64, raw.bits) : type === 'UInt32' ? Number(raw.bits & 0xffff_ffffn) : raw.bits
    case 'value':
      return raw.value
  }
}

function toWire(m: SparkplugMetric): WireMetric {
  const wire: WireMetric = {}
  if (m.name !== undefined) wire.name = m.name
  if (m.alias !== undefined) wire.alias = m.alias
  if (m.timestamp !== undefined) wire.timestamp = m.timestamp
  if (m.datatype !== undefined) wire.datatype = DATATYPES[m.datatype]
  if (m.historical) wire.isHistorical = true
  if (m.quality !== undefined || m.reason !== undefined) {
    const keys: string[] = []
    const values: { type: number; intValue?: number; stringValue?: string }[] = []
    if (m.quality !== undefined) {
      keys.push('Quality')
      values.push({ type: DATATYPES.Int32, intValue: m.quality })
    }
    if (m.reason !== undefined) {
      keys.push('Reason')
      values.push({ type: DATATYPES.String, stringValue: m.reason })
    }
    wire.properties = { keys, values }
  }
  if (m.value === null) wire.isNull = true
  else setValue(wire, m.datatype, m.value)
  return wire
}

function setValue(wire: WireMetric, type: Datatype | undefined, value: MetricValue): void {
  if (value instanceof Uint8Array) wire.bytesValue = value
  else if (typeof value === 'string') wire.stringValue = value
  else if (typeof value === 'boolean') wire.booleanValue = value
  else if (type === 'Float') wire.floatValue = Number(value)
  else if (type === 'Double') wire.doubleValue = Number(value)
  else if (type === 'Int64' || type === 'UInt64' || type === 'DateTime' || type === 'UInt32' || typeof value === 'bigint') {
    // protobufjs takes any object with these three fields for a Long.
    wire.longValue = toLong(BigInt(value)) as NonNullable<WireMetric['longValue']>
  } else if (type === 'Int8' || type === 'Int16' || type === 'Int32' || type === 'UInt8' || type === 'UInt16') wire.intValue = value >>> 0
  else throw new RangeError(`a number needs a numeric datatype, not ${type ?? 'none'}`)
}

function fromWire(wire: WireMetric): RawMetric {
  const metric: RawMetric = { datatype: undefined, raw: rawValue(wire) }
  if (has(wire, 'datatype')) metric.datatype = DATATYPE_BY_CODE.get(wire.datatype ?? 0) ?? null
  if (has(wire, 'name')) metric.name = String(wire.name)
  if (has(wire, 'alias')) metric.alias = safeNumber(wire.alias)
  if (has(wire, 'timestamp')) metric.timestamp = safeNumber(wire.timestamp)
  if (wire.isHistorical) metric.historical = true
  const keys = wire.properties?.keys ?? []
  for (const [i, key] of keys.entries()) {
    const value = wire.properties?.values?.[i]
    if (key === 'Quality' && value && value.intValue !== null && value.intValue !== undefined) metric.quality = value.intValue
    if (key === 'Reason' && typeof value?.stringValue === 'string' && value.stringValue !== '') metric.reason = value.stringValue
  }
  return metric
}

function rawValue(wire: WireMetric): RawValue {
  if (wire.isNull) return { field: 'null' }
  if (has(wire, 'floatValue')) return { field: 'value', value: shortestFloat32(Number(wire.floatValue)) }
  if (has(wire, 'doubleValue')) return { field: 'value', value: Number(wire.doubleValue) }
  if (has(wire, 'booleanValue')) return { field: 'value', value: Boolean(wire.booleanValue) }
  if (has(wire, 'intValue')) return { field: 'int', bits: Number(wire.intValue) >>> 0 }
  if (has(wire, 'longValue')) return { field: 'long', bits: toBigInt(wire.longValue) }
  if (has(wire, 'stringValue')) return { field: 'value', value: String(wire.stringValue) }
  if (has(wire, 'bytesValue')) return { field: 'value', value: Uint8Array.from(wire.bytesValue ?? []) }
  return { field: 'unread' }
}

// protobufjs keeps defaults on the prototype, so an own property is a field that was on the wire.
const has = (o: object, key: string): boolean => Object.hasOwn(o, key)

/** How protobufjs takes and gives 64-bit integers. */
type LongBits = { low: number; high: number; unsigned: boolean }
type WireLong = number | LongBits | null | undefined

function toBigInt(value: WireLong): bigint {
  if (value === null || value === undefined) return 0n
  if (typeof value === 'number') return BigInt.asUintN(64, BigInt(Math.trunc(value)))
  return (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0)
}

function safeNumber(value: WireLong): number {
  // Each value has a time: two words are added up without a bigint.
  const n = typeof value === 'object' && value !== null ? (value.high >>> 0) * 2 ** 32 + (value.low >>> 0) : Number(toBigInt(value))
  if (!Number.isSafeInteger(n)) throw new RangeError(`${n} is beyond the exact integers`)
  return n
}

const toLong = (value: bigint): LongBits => ({
  low: Number(value & 0xffff_ffffn) | 0,
  high: Number((value >> 32n) & 0xffff_ffffn) | 0,
  unsigned: true,
})
