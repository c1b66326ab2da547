import { assertNever } from '#contract/fault.ts'
import { qualityCode } from '#contract/reading.ts'
import { verdictCode } from '#contract/verdict.ts'
import { GATE_TAG, MEASUREMENT, qualityField, RECEIVED_FIELD, valueField, verdictField } from './influx-fields.ts'
import type { Sample, WriteOptions } from './port.ts'

/** The samples of one gate and time: one line, one point. */
export type Line = { readonly gate: string; readonly t: number; readonly samples: readonly Sample[] }

/** Of samples with the same key the last one counts. */
export function linesOf(samples: readonly Sample[]): Line[] {
  const points = new Map<string, Map<string, Sample>>()
  for (const sample of samples) {
    const key = `${sample.t} ${sample.gate}`
    const point = points.get(key) ?? new Map<string, Sample>()
    points.set(key, point.set(sample.metric, sample))
  }
  return [...points.values()].flatMap((point) => {
    const held = [...point.values()]
    const [first] = held
    return first ? [{ gate: first.gate, t: first.t, samples: held }] : []
  })
}

/** A line as InfluxDB reads it, with time in ms. */
export function encodeLine({ gate, t, samples }: Line, options: WriteOptions): string {
  const received = samples.reduce((newest, s) => Math.max(newest, s.received), 0)
  const fields = samples.flatMap((s) => fieldsOf(s, options).map(([name, value]) => `${escapeName(name)}=${value}`))
  return `${MEASUREMENT},${GATE_TAG}=${escapeName(gate)} ${fields.join(',')},${RECEIVED_FIELD}=${received}i ${t}`
}

/**
 * Fields merge on a rewrite: what is not written stays. So whoever may rewrite a point writes its quality and verdict too, GOOD and reliable included; the value under a BAD
 * that came later stays there, and readers must let the quality win.
 */
export function fieldsOf(sample: Sample, options: WriteOptions): [name: string, value: string][] {
  const rewrite = options.rewrite || sample.rewrites === true
  const fields = readingFields(sample, { rewrite })
  if (sample.verdict || rewrite) fields.push([verdictField(sample.metric), `${verdictCode(sample.verdict)}i`])
  return fields
}

function readingFields({ metric, reading }: Sample, { rewrite }: WriteOptions): [name: string, value: string][] {
  const quality: [string, string] = [qualityField(metric), `${qualityCode(reading)}i`]
  switch (reading.quality) {
    case 'good':
      return rewrite ? [[valueField(metric), String(reading.value)], quality] : [[valueField(metric), String(reading.value)]]
    case 'stale':
      return [[valueField(metric), String(reading.value)], quality]
    case 'bad':
      return [quality]
    default:
      return assertNever(reading)
  }
}

/** For tag values and field keys. Line ends and backslashes are dealt with by `valueField`; ids hold neither. */
export const escapeName = (name: string): string => (ODD.test(name) ? name.replace(/[, =]/g, '\\$&') : name)
const ODD = /[, =]/
