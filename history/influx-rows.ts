import type { InfluxSeries } from './influx-http.ts'

export type Row = Readonly<Record<string, unknown>>

/** The rows of an answer by their columns' names. */
export const rowsOf = (series: InfluxSeries): Row[] =>
  (series.values ?? []).map((row) => Object.fromEntries(series.columns.map((column, i) => [column, row[i]])))

export const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null)
