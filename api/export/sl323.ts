import type { Structure } from '#contract/district.ts'
import { Fault } from '#contract/fault.ts'
import type { Sl323Table } from '#contract/http/export.ts'
import { leafOfOpening, openingOfLeaf } from '#contract/metrics.ts'
import { unixMs } from '#contract/units.ts'
import type { History, Sample } from '#history/port.ts'
import type { Tell } from './rows.ts'

/**
 * Tables of SL 323, the ministry's real-time database: names, keys and decimals as there. Times are Beijing's without a zone, levels are elevations,
 * an opening is rounded to the centimetre that the table holds. ST_GATE_R has one row a leaf, told apart by EXKEY A, B …
 */
const COLUMNS: Readonly<Record<Sl323Table, readonly string[]>> = {
  ST_STBPRP_B: ['STCD', 'STNM', 'RVNM', 'LGTD', 'LTTD', 'STTP', 'DTPR', 'ADMAUTH', 'USFL', 'COMMENTS', 'MODITIME'],
  ST_WAS_R: ['STCD', 'TM', 'UPZ', 'DWZ', 'TGTQ', 'MSQMT'],
  ST_GATE_R: ['STCD', 'TM', 'EXKEY', 'EQPTP', 'EQPNO', 'GTOPNUM', 'GTOPHGT', 'GTQ', 'MSQMT'],
  ST_RIVER_R: ['STCD', 'TM', 'Z', 'Q', 'XSAVV', 'MSQMT'],
}
/** 堰闸 and 河道. */
const STATION_KIND = 'DD'
/** 量水建筑物: reckoned from or measured at the structure. */
const BY_STRUCTURE = '3'
const MOST_LEAVES = 26

type Cell = string | number | null
export type Station = { readonly structure: Structure; readonly stcd: string; readonly canal: string; readonly station: string }
export type Sl323Asked = {
  readonly table: Sl323Table
  readonly format: 'sql' | 'csv'
  readonly from: number
  readonly to: number
  readonly everyMs: number
  readonly offsetMin: number
}

/** @returns a gate's station code. @throws Fault BAD_REQUEST where none was given and its id is longer than the table holds. */
export function stationCode(gate: string, codes: ReadonlyMap<string, string>): string {
  const code = codes.get(gate) ?? gate
  if (!/^[\x21-\x7e]{1,8}$/.test(code))
    throw new Fault('BAD_REQUEST', `SL 323 takes station codes of 8 characters, and ${gate} has none`, `give one: stcd=${gate}:40100001`)
  return code
}

export async function* sl323Of(
  history: Pick<History, 'samples'>,
  stations: readonly Station[],
  how: Sl323Asked & { tell: Tell; signal: AbortSignal; now: number },
): AsyncGenerator<string> {
  const columns = COLUMNS[how.table]
  const line = (cells: readonly Cell[]): string =>
    how.format === 'csv'
      ? `${cells.map(csvCell).join(',')}\r\n`
      : `INSERT INTO ${how.table} (${columns.join(', ')}) VALUES (${cells.map(sqlCell).join(', ')});\n`
  if (how.format === 'csv') yield `${columns.join(',')}\r\n`
  let rows = 0
  for (const [i, station] of stations.entries()) {
    for await (const block of how.table === 'ST_STBPRP_B' ? [[stationRow(station, how)]] : rowsOf(history, station, how)) {
      if (how.signal.aborted) return
      rows += block.length
      how.tell({ rows, share: i / stations.length })
      if (block.length > 0) yield block.map(line).join('')
    }
  }
}

const stationRow = ({ structure: s, stcd, canal, station }: Station, { now, offsetMin }: { now: number; offsetMin: number }): Cell[] => [
  stcd,
  s.name.zh.slice(0, 30),
  canal.slice(0, 30),
  fixed(s.lon, 6),
  fixed(s.lat, 6),
  STATION_KIND,
  fixed(s.datum_m, 3),
  station.slice(0, 20),
  '1',
  s.id,
  localTime(now, offsetMin),
]

/** One row for each stretch of `everyMs` that holds a reliable value, at the time of the newest one in it. */
async function* rowsOf(history: Pick<History, 'samples'>, station: Station, how: Sl323Asked): AsyncGenerator<Cell[][]> {
  const leaves = Array.from({ length: Math.min(station.structure.leaves, MOST_LEAVES) }, (_, i) => openingOfLeaf(i + 1))
  const metrics = how.table === 'ST_GATE_R' ? leaves : ['level_up', 'level_down', 'flow', 'velocity']
  const rowsFrom = (t: number, held: ReadonlyMap<string, number>): Cell[][] =>
    tableRows(how.table, station, { t: localTime(t, how.offsetMin), held })
  let held = new Map<string, number>()
  let [newest, stretch] = [0, -1]
  const rows: Cell[][] = []
  for await (const sample of history.samples({ gate: station.structure.id, metrics, from: unixMs(how.from), to: unixMs(how.to) })) {
    const value = reliableValue(sample)
    if (value === null) continue
    const at = Math.floor(sample.t / how.everyMs)
    if (at !== stretch && held.size > 0) {
      rows.push(...rowsFrom(newest, held))
      held = new Map()
      if (rows.length >= 1000) yield rows.splice(0)
    }
    stretch = at
    newest = sample.t
    held.set(sample.metric, value)
  }
  if (held.size > 0) rows.push(...rowsFrom(newest, held))
  yield rows
}

function tableRows(
  table: Sl323Table,
  { structure, stcd }: Station,
  { t, held }: { t: string; held: ReadonlyMap<string, number> },
): Cell[][] {
  const elevation = (metric: string): Cell => fixed(addTo(held.get(metric), structure.datum_m), 3)
  const flow = held.get('flow')
  const method = flow === undefined ? null : BY_STRUCTURE
  switch (table) {
    case 'ST_WAS_R':
      return [[stcd, t, elevation('level_up'), elevation('level_down'), fixed(flow, 3), method]]
    case 'ST_RIVER_R':
      return [[stcd, t, elevation('level_down'), fixed(flow, 3), fixed(held.get('velocity'), 3), method]]
    case 'ST_GATE_R':
      return [...held].map(([metric, opening]) => {
        const leaf = leafOfOpening(metric) ?? 1
        return [
          stcd,
          t,
          String.fromCharCode(64 + leaf),
          '11',
          String(leaf).padStart(2, '0'),
          opening > 0.005 ? 1 : 0,
          fixed(opening, 2),
          null,
          null,
        ]
      })
    case 'ST_STBPRP_B':
      return []
  }
}

const reliableValue = ({ reading, verdict }: Sample): number | null =>
  reading.quality === 'good' && verdict?.level !== 'unreliable' ? reading.value : null
const addTo = (value: number | undefined, datum: number): number | undefined => (value === undefined ? undefined : value + datum)
const fixed = (value: number | undefined, decimals: number): Cell => (value === undefined ? null : Number(value.toFixed(decimals)))
const localTime = (t: number, offsetMin: number): string => new Date(t + offsetMin * 60_000).toISOString().slice(0, 19).replace('T', ' ')
const sqlCell = (cell: Cell): string =>
  cell === null ? 'NULL' : typeof cell === 'number' ? String(cell) : `'${cell.replaceAll("'", "''")}'`
const csvCell = (cell: Cell): string =>
  cell === null ? '' : typeof cell === 'number' ? String(cell) : /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
