import { type Static, Type } from 'typebox'
import { DATATYPES, type Datatype, type MetricValue, metricValue, type RawMetric, type SparkplugMetric } from './payload.ts'

const DatatypeName = Type.Unsafe<Datatype>(Type.Enum(Object.keys(DATATYPES)))

/** What a birth said of its metrics, kept by the host so that a DATA that names only an alias can be read. */
export const BirthTable = Type.Object(
  {
    /** ms since 1970 UTC, of the birth's payload */
    at: Type.Number(),
    /** Our agents send `Outbox/Batch` and are answered with receipts; a foreign node does not and is not. */
    receipts: Type.Boolean(),
    /** The outbox whose aliases these are, known from the first batch after the birth. */
    epoch: Type.Optional(Type.Integer()),
    metrics: Type.Array(
      Type.Object({
        name: Type.String(),
        alias: Type.Union([Type.Number(), Type.Null()]),
        datatype: Type.Union([DatatypeName, Type.Null()]),
      }),
    ),
  },
  { additionalProperties: false },
)
export type BirthTable = Static<typeof BirthTable>

/** A birth's look-ups, made once for each birth. */
export type BirthIndex = {
  readonly byAlias: ReadonlyMap<number, { name: string; datatype: Datatype | null }>
  readonly byName: ReadonlyMap<string, Datatype | null>
}

export function birthTable(at: number, metrics: readonly RawMetric[], batchName: string): BirthTable {
  const named = metrics.filter((m): m is RawMetric & { name: string } => m.name !== undefined)
  return {
    at,
    receipts: named.some((m) => m.name === batchName),
    metrics: named.map((m) => ({ name: m.name, alias: m.alias ?? null, datatype: m.datatype ?? null })),
  }
}

export function indexBirth(table: BirthTable): BirthIndex {
  const byAlias = new Map<number, { name: string; datatype: Datatype | null }>()
  const byName = new Map<string, Datatype | null>()
  for (const { name, alias, datatype } of table.metrics) {
    if (alias !== null) byAlias.set(alias, { name, datatype })
    byName.set(name, datatype)
  }
  return { byAlias, byName }
}

export type Resolved = {
  metrics: (SparkplugMetric & { name: string })[]
  /** Aliases and names that the birth does not know: the host must ask for a rebirth. */
  unknown: (number | string)[]
  /** Known metrics of a type that Sluice does not read, by name. */
  unread: string[]
}

/** Property by property: this is done for every value that the district sends, and a rest pattern or a spread would take most of the time. */
function named(
  m: RawMetric,
  known: { name: string; datatype: Datatype | null },
  value: MetricValue | null,
): SparkplugMetric & { name: string } {
  const metric: SparkplugMetric & { name: string } = { name: known.name, value }
  const datatype = m.datatype ?? known.datatype
  if (datatype) metric.datatype = datatype
  if (m.alias !== undefined) metric.alias = m.alias
  if (m.timestamp !== undefined) metric.timestamp = m.timestamp
  if (m.historical !== undefined) metric.historical = m.historical
  if (m.quality !== undefined) metric.quality = m.quality
  if (m.reason !== undefined) metric.reason = m.reason
  return metric
}

/** Gives each metric of a DATA payload its name and value by the birth's table. */
export function resolveMetrics(metrics: readonly RawMetric[], birth: BirthIndex): Resolved {
  const resolved: Resolved = { metrics: [], unknown: [], unread: [] }
  for (const m of metrics) {
    const known =
      m.alias !== undefined && m.name === undefined
        ? birth.byAlias.get(m.alias)
        : m.name !== undefined && birth.byName.has(m.name)
          ? { name: m.name, datatype: birth.byName.get(m.name) ?? null }
          : undefined
    if (!known) {
      resolved.unknown.push(m.name ?? m.alias ?? '(neither name nor alias)')
      continue
    }
    const value = metricValue(m, known.datatype ?? undefined)
    if (value === undefined || m.datatype === null) {
      resolved.unread.push(known.name)
      continue
    }
    resolved.metrics.push(named(m, known, value))
  }
  return resolved
}
