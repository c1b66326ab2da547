import { qualityCode } from '#contract/reading.ts'
import { verdictCode } from '#contract/verdict.ts'
import { GATE_TAG, MEASUREMENT, qualityField, RECEIVED_FIELD, valueField, verdictField } from './influx-fields.ts'
import type { Sample, WriteOptions } from './port.ts'

/** The samples of one gate and time: one line, one point. */
export type Line = { readonly gate: string; readonly t: number; readonly samples: readonly Sample[] }

/** Of samples with the same key the last one counts. */
export function linesOf(samples: readonly Sample[]): Line[] {
  const gates = new Map<string, Map<number, OpenLine>>()
  const lines: OpenLine[] = []
  let line: OpenLine | undefined
  for (const sample of samples) {
    // Mostly the samples of a point come one after the other.
    if (line?.t !== sample.t || line.gate !== sample.gate) {
      const times = gates.get(sample.gate) ?? new Map<number, OpenLine>()
      if (times.size === 0) gates.set(sample.gate, times)
      line = times.get(sample.t)
      if (!line) {
        line = { gate: sample.gate, t: sample.t, samples: [] }
        times.set(sample.t, line)
        lines.push(line)
      }
    }
    const held = line.samples
    const i = held.findIndex((s) => s.metric === sample.metric)
    if (i < 0) held.push(sample)
    else held[i] = sample
  }
  return lines
}
type OpenLine = { readonly gate: string; readonly t: number; readonly samples: Sample[] }

/** A line as InfluxDB reads it, with time in ms. */
export function encodeLine({ gate, t, samples }: Line, options: WriteOptions): string {
  let received = 0
  let line = `${MEASUREMENT},${GATE_TAG}=${escapeName(gate)} `
  for (const sample of samples) {
    received = Math.max(received, sample.received)
    const keys = keysOf(sample.metric)
    const { value, quality, verdict } = partsOf(sample, options)
    if (value !== null) line += `${keys.value}=${value},`
    if (quality !== null) line += `${keys.quality}=${quality}i,`
    if (verdict !== null) line += `${keys.verdict}=${verdict}i,`
  }
  return `${line}${RECEIVED_FIELD}=${received}i ${t}`
}

/** The fields that a sample writes. */
export function fieldsOf(sample: Sample, options: WriteOptions): string[] {
  const { metric } = sample
  const { value, quality, verdict } = partsOf(sample, options)
  const fields: string[] = []
  if (value !== null) fields.push(valueField(metric))
  if (quality !== null) fields.push(qualityField(metric))
  if (verdict !== null) fields.push(verdictField(metric))
  return fields
}

/** What is written of a sample; null is not. */
type Parts = { readonly value: number | null; readonly quality: number | null; readonly verdict: number | null }

/**
 * Fields merge on a rewrite: what is not written stays. So whoever may rewrite a point writes its quality and verdict too, GOOD and reliable included; the value under a BAD
 * that came later stays there, and readers must let the quality win.
 */
function partsOf({ reading, verdict, rewrites }: Sample, options: WriteOptions): Parts {
  const rewrite = options.rewrite || rewrites === true
  return {
    value: reading.quality === 'bad' ? null : reading.value,
    quality: rewrite || reading.quality !== 'good' ? qualityCode(reading) : null,
    verdict: rewrite || verdict !== undefined ? verdictCode(verdict) : null,
  }
}

type Keys = { readonly value: string; readonly quality: string; readonly verdict: string }
/** Written for each value; there are as many as the catalogue has names. */
const KEYS = new Map<string, Keys>()
const MOST_KEYS = 10_000

function keysOf(metric: string): Keys {
  const known = KEYS.get(metric)
  if (known) return known
  const keys = {
    value: escapeName(valueField(metric)),
    quality: escapeName(qualityField(metric)),
    verdict: escapeName(verdictField(metric)),
  }
  if (KEYS.size >= MOST_KEYS) KEYS.clear()
  KEYS.set(metric, keys)
  return keys
}

/** For tag values and field keys. Line ends and backslashes are dealt with by `valueField`; ids hold neither. */
export const escapeName = (name: string): string => (ODD.test(name) ? name.replace(/[, =]/g, '\\$&') : name)
const ODD = /[, =]/
