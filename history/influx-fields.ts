/**
 * How Sluice lies in InfluxDB: measurement `gate`, tag `gate`, and for each metric a float field of its name and an integer field `<name>_q`
 * with the quality's code, and one `<name>_v` with the verdict's; `rx` is when ingest received the point, in ms.
 */
export const MEASUREMENT = 'gate'
export const GATE_TAG = 'gate'
export const RECEIVED_FIELD = 'rx'
const QUALITY = '_q'
const VERDICT = '_v'
/** Set behind a foreign metric's name that would be taken for one of ours. A name that ends so gets it again, so that it can be taken off. */
const SHIFTED = '_m'
const RESERVED = new Set(['time', GATE_TAG, RECEIVED_FIELD])

// Line protocol can't hold a line's end in a name and reads a backslash as an escape only sometimes.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
const UNFIT = /[\u0000-\u001f\u007f\\%]/g

/** The field of a metric's value. Names of the catalogue are left as they are. */
export function valueField(metric: string): string {
  const name = metric.replace(UNFIT, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
  return RESERVED.has(name) || [QUALITY, VERDICT, SHIFTED].some((end) => name.endsWith(end)) ? name + SHIFTED : name
}

export const qualityField = (metric: string): string => valueField(metric) + QUALITY
export const verdictField = (metric: string): string => valueField(metric) + VERDICT

/** @returns the metric whose value, quality or verdict the field holds, or undefined for a field that holds none of them. */
export function metricOfField(field: string): string | undefined {
  if (RESERVED.has(field)) return undefined
  const value = field.endsWith(QUALITY) || field.endsWith(VERDICT) ? field.slice(0, -QUALITY.length) : field
  const name = value.endsWith(SHIFTED) ? value.slice(0, -SHIFTED.length) : value
  return name.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
