import { type CsvRow, instantOf } from '#api/analysis/csv.ts'
import { Fault } from '#contract/fault.ts'
import { metricOf } from '#contract/metrics.ts'
import type { ImportMapping } from './import-mapping.ts'

export type Found = { readonly line: number; readonly gate: string; readonly metric: string; readonly t: number; readonly value: number }
export type Refusal = { readonly line: number; readonly column: string; readonly reason: string }
export type ReadRow = { readonly found: Found[]; readonly refused: Refusal[]; readonly blank: number }

/** 2000-01-01: a time before it is a mistake in the file. */
const EARLIEST_MS = 946_684_800_000

/** What a row of a file comes to, by its header. @throws Fault CONFIG_INVALID for a header without a column that the mapping names */
export function rowReader(
  mapping: ImportMapping,
  header: readonly string[],
  known: { readonly gates: ReadonlySet<string>; readonly now: number },
): (row: CsvRow) => ReadRow {
  const titles = header.map((title) => title.trim())
  const place = (title: string): number => {
    const at = titles.indexOf(title)
    if (at >= 0) return at
    const next = 'correct the mapping: its column, encoding or separator'
    throw new Fault('CONFIG_INVALID', `the file has no column ${title}; it has ${titles.join(', ')}`, next)
  }
  const { time, gate, long, values } = mapping
  const timeAt = place(time.column)
  const gateAt = typeof gate === 'object' ? place(gate.column) : undefined
  const longAt = long && { name: place(long.name), value: place(long.value) }
  const wide = long ? [] : Object.keys(values).map((title) => ({ title, at: place(title) }))

  return ({ line, cells }) => {
    const cell = (at: number): string => (cells[at] ?? '').trim()
    const refuse = (column: string, reason: string): ReadRow => ({ found: [], refused: [{ line, column, reason }], blank: 0 })
    const t = instantOf(cell(timeAt), time.utc_offset_min)
    if (t === undefined) return refuse(time.column, `${quoted(cell(timeAt))} is no time like 2026-07-01 08:00`)
    if (t < EARLIEST_MS || t > known.now) return refuse(time.column, `${quoted(cell(timeAt))} is before 2000 or still to come`)
    const written = gateAt === undefined ? '' : cell(gateAt)
    const named = typeof gate === 'object' ? (gate.names?.[written] ?? written) : gate
    const all = longAt ? [{ title: cell(longAt.name), text: cell(longAt.value) }] : wide.map(({ title, at }) => ({ title, text: cell(at) }))
    const read = { found: [] as Found[], refused: [] as Refusal[], blank: 0 }
    for (const { title, text } of all) {
      const to = Object.hasOwn(values, title) ? values[title] : undefined
      if (text === '') {
        read.blank++
        continue
      }
      const taken = to ? quantityIn(text, to) : `the mapping has no ${quoted(title)}`
      const of = to?.gate ?? named ?? ''
      if (typeof taken === 'string') read.refused.push({ line, column: title, reason: taken })
      else if (!known.gates.has(of)) read.refused.push({ line, column: title, reason: `gate ${quoted(of)} is not registered` })
      else read.found.push({ line, gate: of, metric: to?.metric ?? '', t, value: taken })
    }
    return read
  }
}

/** The number in the metric's unit, or why there is none. */
function quantityIn(text: string, { metric, factor = 1, offset = 0 }: ImportMapping['values'][string]): number | string {
  const plain = Number(text)
  if (!Number.isFinite(plain)) return `${quoted(text)} is no number`
  // What 1.1 × 3 leaves behind the 12th digit is none of the file's.
  const value = Number((plain * factor + offset).toPrecision(12))
  const range = metricOf(metric)?.range
  if (range && (value < range[0] || value > range[1])) return `${value} is out of the range of ${metric}, ${range[0]} to ${range[1]}`
  return value
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 40))
