import { Value } from 'typebox/value'
import type { ImportReport } from '#contract/http/analysis.ts'
import { MANUAL_KINDS, type ManualKind, ManualReading } from '#contract/manual-reading.ts'
import { instantOf, parseCsv } from './csv.ts'

type Parsed = { readonly row: number; readonly reading: ManualReading }

/** Columns of a form of readings by hand, in either language; the order is free. */
const COLUMNS: Readonly<Record<string, keyof ManualReading>> = {
  gate: 'gate',
  闸门: 'gate',
  kind: 'kind',
  项目: 'kind',
  time: 't',
  时间: 't',
  value: 'value',
  数值: 'value',
  uncertainty: 'uncertainty',
  误差: 'uncertainty',
  observer: 'observer',
  观测员: 'observer',
  note: 'note',
  备注: 'note',
}
const KINDS = new Map<string, ManualKind>(
  Object.entries(MANUAL_KINDS).flatMap(([kind, { label }]) => [
    [kind, kind as ManualKind],
    [label.zh, kind as ManualKind],
  ]),
)

/** Rows of a CSV with a header: gate, kind, time (local, or with a zone), value, observer, and if wanted uncertainty and note. */
export function parseManualCsv(text: string, utcOffsetMin: number): { readings: Parsed[]; refused: ImportReport['refused'] } {
  const [header = [], ...rows] = parseCsv(text)
  const names = header.map((name) => COLUMNS[name.trim().toLowerCase()])
  const readings: Parsed[] = []
  const refused: ImportReport['refused'] = []
  for (const [i, cells] of rows.entries()) {
    const raw: Record<string, unknown> = { note: '' }
    for (const [place, name] of names.entries()) {
      const cell = (cells[place] ?? '').trim()
      if (name && cell !== '') raw[name] = cell
    }
    const t = instantOf(String(raw['t'] ?? ''), utcOffsetMin)
    const reading = {
      ...raw,
      kind: KINDS.get(String(raw['kind'])) ?? raw['kind'],
      t,
      value: numberOf(raw['value']),
      ...(raw['uncertainty'] !== undefined && { uncertainty: numberOf(raw['uncertainty']) }),
    }
    if (t === undefined)
      refused.push({ row: i + 1, reason: `${JSON.stringify(String(raw['t'] ?? '').slice(0, 40))} is no time like 2026-07-01 08:00` })
    else if (Value.Check(ManualReading, reading)) readings.push({ row: i + 1, reading })
    else refused.push({ row: i + 1, reason: problemIn(reading) })
  }
  return { readings, refused }
}

const numberOf = (cell: unknown): number => (typeof cell === 'string' && cell !== '' ? Number(cell) : Number.NaN)

function problemIn(reading: unknown): string {
  const [first] = Value.Errors(ManualReading, reading)
  return first ? `${first.instancePath.slice(1) || 'row'}: ${first.message}` : 'not a reading'
}
