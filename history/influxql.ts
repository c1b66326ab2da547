import { STALE_CODE } from '#contract/reading.ts'
import { GATE_TAG, MEASUREMENT, qualityField, RECEIVED_FIELD, valueField, verdictField } from './influx-fields.ts'
import type { Span } from './span.ts'

/** Statements in the InfluxQL that 1.x, 2.x and 3.x share. Each is one string, without a semicolon of its own. */

export const identifier = (name: string): string => `"${name.replace(/["\\]/g, '\\$&')}"`
export const literal = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`
// The type is named so that a field which is a string in some shard is passed over there.
const value = (metric: string): string => `${identifier(valueField(metric))}::float`
const quality = (metric: string): string => `${identifier(qualityField(metric))}::integer`
const verdict = (metric: string): string => `${identifier(verdictField(metric))}::integer`
const RECEIVED = `${identifier(RECEIVED_FIELD)}::integer`
const FROM = `FROM ${identifier(MEASUREMENT)}`

export type Where = { readonly gate: string; readonly span: Span }
const where = ({ gate, span }: Where): string =>
  `WHERE ${identifier(GATE_TAG)} = ${literal(gate)} AND time >= ${span.from}ms AND time < ${span.to}ms`
const byTime = (bucketMs: number): string => `GROUP BY time(${bucketMs}ms) fill(none)`

export const showFields = (measurement: string = MEASUREMENT): string => `SHOW FIELD KEYS FROM ${identifier(measurement)}`
/** Column value: the gates that have a point. */
export const showGates = (measurement: string): string =>
  `SHOW TAG VALUES FROM ${identifier(measurement)} WITH KEY = ${identifier(GATE_TAG)}`

/** Columns v0, q0, w0, v1, q1, w1 …, and rx where it is asked for: then every point of the gate has a row. */
export function selectSamples(metrics: readonly string[], at: Where & { readonly received: 'with received' | 'without received' }): string {
  const fields = metrics.flatMap((metric, i) => [`${value(metric)} AS v${i}`, `${quality(metric)} AS q${i}`, `${verdict(metric)} AS w${i}`])
  if (at.received === 'with received') fields.push(`${RECEIVED} AS rx`)
  return `SELECT ${fields.join(', ')} ${FROM} ${where(at)}`
}

/** Columns v, q, w of several gates, by gate; points without the metric left out. */
export const selectSamplesOf = (metric: string, { gates, span }: { gates: readonly string[]; span: Span }): string =>
  `SELECT ${value(metric)} AS v, ${quality(metric)} AS q, ${verdict(metric)} AS w ${FROM} WHERE (${gates.map((gate) => `${identifier(GATE_TAG)} = ${literal(gate)}`).join(' OR ')}) AND time >= ${span.from}ms AND time < ${span.to}ms GROUP BY ${identifier(GATE_TAG)}`

/** Columns v and q: how many values and how many qualities a metric has. */
export const countSamples = (metric: string, at: Where): string =>
  `SELECT count(${value(metric)}) AS v, count(${quality(metric)}) AS q ${FROM} ${where(at)}`

/** Column n: points by bucket. */
export const countPoints = (at: Where, bucketMs: number): string =>
  `SELECT count(${RECEIVED}) AS n ${FROM} ${where(at)} ${byTime(bucketMs)}`

/** Columns low, high, mean. */
export const bucketValues = (metric: string, at: Where & { readonly bucketMs: number }): string =>
  `SELECT min(${value(metric)}) AS low, max(${value(metric)}) AS high, mean(${value(metric)}) AS mean ${FROM} ${where(at)} ${byTime(at.bucketMs)}`

/** Column n: samples that are not GOOD. */
export const bucketBad = (metric: string, at: Where & { readonly bucketMs: number }): string =>
  `SELECT count(${quality(metric)}) AS n ${FROM} ${where(at)} AND ${quality(metric)} <> 0 ${byTime(at.bucketMs)}`

/** Column n: values that lie under a BAD which was written over them. InfluxQL can't ask for "has no quality", so they can't be left out above. */
export const bucketShadowed = (metric: string, at: Where & { readonly bucketMs: number }): string =>
  `SELECT count(${value(metric)}) AS n ${FROM} ${where(at)} AND ${quality(metric)} > 0 AND ${quality(metric)} <> ${STALE_CODE} ${byTime(at.bucketMs)}`

/** By gate, the newest point that has a value, within the span where one is given: columns v, q, w, rx. */
export const lastValue = (metric: string, gates: readonly string[], span?: Span): string =>
  `SELECT last(${value(metric)}) AS v, ${quality(metric)} AS q, ${verdict(metric)} AS w, ${RECEIVED} AS rx ${FROM} ${ofGates(gates, span)}`

/** By gate, the newest point that has a quality: columns v, q, w, rx. */
export const lastQuality = (metric: string, gates: readonly string[], span?: Span): string =>
  `SELECT last(${quality(metric)}) AS q, ${value(metric)} AS v, ${verdict(metric)} AS w, ${RECEIVED} AS rx ${FROM} ${ofGates(gates, span)}`

type WhereGates = { readonly gates: readonly string[]; readonly span: Span }
/** By gate, columns v and q: how many values and how many qualities a metric has. */
export const countSamplesOf = (metric: string, { gates, span }: WhereGates): string =>
  `SELECT count(${value(metric)}) AS v, count(${quality(metric)}) AS q ${FROM} ${ofGates(gates, span)}`
/** By gate and bucket, column v: the newest value. */
export const pastValues = (metric: string, { gates, span, bucketMs }: WhereGates & { readonly bucketMs: number }): string =>
  `SELECT last(${value(metric)}) AS v ${FROM} ${whereGates(gates, span)} GROUP BY time(${bucketMs}ms), ${identifier(GATE_TAG)} fill(none)`
/** By gate, column n: samples that are not GOOD. */
export const pastBad = (metric: string, { gates, span }: WhereGates): string =>
  `SELECT count(${quality(metric)}) AS n ${FROM} ${whereGates(gates, span)} AND ${quality(metric)} <> 0 GROUP BY ${identifier(GATE_TAG)}`

const whereGates = (gates: readonly string[], span?: Span): string =>
  `WHERE (${gates.map((gate) => `${identifier(GATE_TAG)} = ${literal(gate)}`).join(' OR ')})${span ? ` AND time >= ${span.from}ms AND time < ${span.to}ms` : ''}`
const ofGates = (gates: readonly string[], span?: Span): string => `${whereGates(gates, span)} GROUP BY ${identifier(GATE_TAG)}`
