import { type DAY_MS, HOUR_MS, type Level, MINUTE_MS, type OfGates, type RolledUp, type Width } from './cells.ts'
import { GATE_TAG, metricOfField, valueField } from './influx-fields.ts'
import type { InfluxSeries } from './influx-http.ts'
import { identifier, literal } from './influxql.ts'
import { escapeName } from './line-protocol.ts'
import type { DrawnSlice, Slice, SummedSlice } from './slice.ts'

/**
 * Roll-ups in InfluxDB: a measurement for each width, one point for each gate and window, and for each metric the fields `<metric>.<key>`. A window's point of
 * an hour or a day also holds `m`, the mark that the newest write set after its samples were there, and `done`, the mark that its roll-up was built of.
 * It counts only while the two are equal; so neither two writers nor a builder that dies half-way can make a stale one look whole, without a transaction.
 */
const MEASUREMENTS = { [MINUTE_MS]: 'gate_1m', [HOUR_MS]: 'gate_1h', [86_400_000 satisfies typeof DAY_MS]: 'gate_1d' } as const
export const ROLLUP_MEASUREMENTS: Readonly<Record<Width, string>> = MEASUREMENTS

export const deleteBefore = (measurement: string, t: number): string => `DELETE FROM ${identifier(measurement)} WHERE time < ${t}ms`

type Key = 'n' | 'b' | 'd' | 'u' | 'k' | 'lo' | 'hi' | 's' | 'rl' | 'rh' | 't1' | 'v1' | 't2' | 'v2' | 'a' | 'kn' | 'e' | 'sp' | 'cb' | 'ca'
const INTEGERS: readonly Key[] = ['n', 'b', 'd', 'u', 'k', 't1', 't2', 'kn', 'e', 'cb', 'ca']
const FLOATS: readonly Key[] = ['lo', 'hi', 's', 'rl', 'rh', 'v1', 'v2', 'a', 'sp']

const fieldOf = (metric: string, key: Key): string => `${valueField(metric)}.${key}`

const MARKED = Object.entries(MEASUREMENTS)
  .map(([width, name]) => ({ width: Number(width), name }))
  .filter(({ width }) => width >= HOUR_MS)

/** Marks the windows of an hour and a day in which samples lie: one line each. */
export function markLines(samples: readonly { readonly gate: string; readonly t: number }[], mark: number): string[] {
  return MARKED.flatMap(({ width, name }) => {
    return [...windowsOf(samples, width)].flatMap(([gate, starts]) =>
      [...starts].map((start) => `${name},${GATE_TAG}=${escapeName(gate)} m=${mark}i ${start}`),
    )
  })
}

/** By gate the starts of the windows in which samples lie. */
export function windowsOf(samples: readonly { readonly gate: string; readonly t: number }[], width: number): Map<string, Set<number>> {
  const windows = new Map<string, Set<number>>()
  let last: { readonly gate: string; readonly start: number } | undefined
  for (const { gate, t } of samples) {
    const start = t - (t % width)
    // Of a backlog hundreds lie in one window.
    if (last?.start === start && last.gate === gate) continue
    last = { gate, start }
    const known = windows.get(gate)
    if (known) known.add(start)
    else windows.set(gate, new Set([start]))
  }
  return windows
}

/** The point of one window. A field that has no value now may have had one before and keeps it: a reader goes by the counts. */
export function rollUpLine(
  width: Width,
  window: { gate: string; from: number; done: number | null },
  slices: ReadonlyMap<string, Slice>,
): string | null {
  const fields = [...slices].flatMap(([metric, slice]) => sliceFields(metric, slice))
  if (window.done !== null) fields.push(`done=${window.done}i`)
  if (fields.length === 0) return null
  return `${MEASUREMENTS[width]},${GATE_TAG}=${escapeName(window.gate)} ${fields.join(',')} ${window.from}`
}

function sliceFields(metric: string, s: Slice): string[] {
  const values: [Key, number | null][] = [
    ['n', s.count],
    ['b', s.bad],
    ['d', s.doubtful],
    ['u', s.unreliable],
    ['k', s.drawn],
    ['lo', s.min],
    ['hi', s.max],
    ['s', s.sum],
    ['rl', s.reliableMin],
    ['rh', s.reliableMax],
    ['t1', s.first && s.first.t - s.from],
    ['v1', s.first?.v ?? null],
    ['t2', s.last && s.last.t - s.from],
    ['v2', s.last?.v ?? null],
    ['a', s.area],
    ['kn', s.known],
    ['e', s.estimated],
    ['sp', s.spread],
    ['cb', s.cutBefore ? 1 : 0],
    ['ca', s.cutAfter ? 1 : 0],
  ]
  return values.flatMap(([key, value]) =>
    value === null ? [] : [`${escapeName(fieldOf(metric, key))}=${value}${INTEGERS.includes(key) ? 'i' : ''}`],
  )
}

/** Which fields are asked of a roll-up, and what a row of them tells. */
export type Fields<S> = { readonly keys: readonly Key[]; readonly sliceOf: (from: number, cell: Cell) => S }
export const WHOLE: Fields<Slice> = {
  keys: [...INTEGERS, ...FLOATS],
  sliceOf: (from, cell) => ({ ...summedOf(from, cell), ...drawnOf(from, cell) }),
}
const DRAWN_ALONE: readonly Key[] = ['k', 'lo', 'hi', 's']
export const DRAWN: Fields<DrawnSlice> = { keys: ['n', 'b', ...DRAWN_ALONE], sliceOf: (from, cell) => drawnOf(from, cell) }
export const SUMMED: Fields<SummedSlice> = {
  keys: WHOLE.keys.filter((key) => !DRAWN_ALONE.includes(key)),
  sliceOf: (from, cell) => summedOf(from, cell),
}

export function selectSlices(width: Width, { gates, metric, span }: OfGates, { keys }: Pick<Fields<unknown>, 'keys'>): string {
  const columns = [...sliceColumns(metric, keys), ...(width === MINUTE_MS ? [] : ['"m"::integer AS m', '"done"::integer AS done'])]
  return `SELECT ${columns.join(', ')} ${from(width)} WHERE ${ofGates(gates)} AND ${within(width, span)} GROUP BY ${identifier(GATE_TAG)}`
}

/** As selectSlices without the marks, of one gate: then only windows that hold the metric have a row. */
export const selectBareSlices = (
  width: Width,
  { gate, metric, span }: { gate: string; metric: string; span: OfGates['span'] },
  most: number,
): string =>
  `SELECT ${sliceColumns(metric, WHOLE.keys).join(', ')} ${from(width)} WHERE ${ofGates([gate])} AND ${within(width, span)} GROUP BY ${identifier(GATE_TAG)} LIMIT ${most}`

const sliceColumns = (metric: string, keys: readonly Key[]): string[] =>
  keys.map((key) => `${identifier(fieldOf(metric, key))}::${INTEGERS.includes(key) ? 'integer' : 'float'} AS ${key}`)

/** Columns m and done, by gate; of all gates where none is named. */
export function selectMarks(width: Level, { gates, span }: { gates: readonly string[]; span: OfGates['span'] }): string {
  const who = gates.length === 0 ? '' : `${ofGates(gates)} AND `
  return `SELECT "m"::integer AS m, "done"::integer AS done ${from(width)} WHERE ${who}${within(width, span)} GROUP BY ${identifier(GATE_TAG)}`
}

const from = (width: Width): string => `FROM ${identifier(MEASUREMENTS[width])}`
const ofGates = (gates: readonly string[]): string => `(${gates.map((gate) => `${identifier(GATE_TAG)} = ${literal(gate)}`).join(' OR ')})`
const within = (width: number, span: OfGates['span']): string => `time >= ${span.from - (span.from % width)}ms AND time < ${span.to}ms`

/** What an answer to selectBareSlices holds. */
export const slicesIn = (found: readonly InfluxSeries[]): Slice[] => [...rolledUpOf(found, WHOLE).values()].flatMap(({ slices }) => slices)

/** The metric whose roll-ups the field counts, or undefined for another field. */
export const metricOfCount = (field: string): string | undefined =>
  field.endsWith('.n') ? metricOfField(field.slice(0, -'.n'.length)) : undefined

/** What an answer to selectSlices holds, by gate. */
export function rolledUpOf<S extends { readonly from: number }>(
  found: readonly InfluxSeries[],
  fields: Fields<S>,
): Map<string, RolledUp<S>> {
  return new Map(
    found.map((series) => {
      const place = new Map(series.columns.map((column, i) => [column, i]))
      const slices: S[] = []
      const stale = new Set<number>()
      for (const row of series.values ?? []) {
        const cell = (column: string): number | null => {
          const value = row[place.get(column) ?? -1]
          return typeof value === 'number' ? value : null
        }
        const t = cell('time') ?? 0
        if (cell('m') !== cell('done')) stale.add(t)
        else if (cell('n') !== null) slices.push(fields.sliceOf(t, cell))
      }
      return [series.tags?.[GATE_TAG] ?? '', { slices, stale }]
    }),
  )
}

type Cell = (key: Key) => number | null

const drawnOf = (from: number, cell: Cell): DrawnSlice => {
  const drawn = cell('k') ?? 0
  return {
    from,
    count: cell('n') ?? 0,
    bad: cell('b') ?? 0,
    drawn,
    min: drawn > 0 ? cell('lo') : null,
    max: drawn > 0 ? cell('hi') : null,
    sum: cell('s') ?? 0,
  }
}

function summedOf(from: number, cell: Cell): SummedSlice {
  const number = (key: Key): number => cell(key) ?? 0
  const [count, bad, unreliable] = [number('n'), number('b'), number('u')]
  const isReliable = count - bad - unreliable > 0
  return {
    from,
    count,
    bad,
    doubtful: number('d'),
    unreliable,
    reliableMin: isReliable ? cell('rl') : null,
    reliableMax: isReliable ? cell('rh') : null,
    first: isReliable ? { t: from + number('t1'), v: number('v1') } : null,
    last: isReliable ? { t: from + number('t2'), v: number('v2') } : null,
    area: number('a'),
    known: number('kn'),
    estimated: number('e'),
    spread: number('sp'),
    cutBefore: number('cb') === 1,
    cutAfter: number('ca') === 1,
  }
}

/** By gate the windows whose mark their roll-up was not built of, with that mark. */
export function staleMarks(found: readonly InfluxSeries[]): Map<string, Map<number, number>> {
  const byGate = new Map<string, Map<number, number>>()
  for (const series of found) {
    const place = new Map(series.columns.map((column, i) => [column, i]))
    const at = (row: readonly unknown[], column: string): unknown => row[place.get(column) ?? -1]
    const stale = (series.values ?? []).filter((row) => typeof at(row, 'm') === 'number' && at(row, 'm') !== at(row, 'done'))
    if (stale.length > 0)
      byGate.set(series.tags?.[GATE_TAG] ?? '', new Map(stale.map((row) => [Number(at(row, 'time')), Number(at(row, 'm'))])))
  }
  return byGate
}
