/** One row of a CSV; `line` is the line of the text on which it begins, from 1. */
export type CsvRow = { readonly line: number; readonly cells: string[] }

/** RFC 4180, read piece by piece: quoted cells may hold separators, quotes and line ends; a BOM and empty lines are passed over. */
export class CsvReader {
  readonly #separator: string
  #row: string[] = []
  #cell = ''
  #at: 'cell' | 'quoted' | 'after quote' = 'cell'
  #line = 1
  #began = 1
  #isFirst = true

  constructor(separator = ',') {
    this.#separator = separator
  }

  push(text: string): CsvRow[] {
    const rows: CsvRow[] = []
    for (const c of this.#isFirst ? text.replace(/^\uFEFF/, '') : text) {
      if (c === '\n') this.#line++
      if (this.#at === 'quoted') {
        if (c === '"') this.#at = 'after quote'
        else this.#cell += c
        continue
      }
      if (this.#at === 'after quote') {
        this.#at = 'cell'
        if (c === '"') {
          this.#cell += '"'
          this.#at = 'quoted'
          continue
        }
      }
      if (c === '"' && this.#cell === '') this.#at = 'quoted'
      else if (c === this.#separator) {
        this.#row.push(this.#cell)
        this.#cell = ''
      } else if (c === '\n') rows.push(...this.#endRow())
      else if (c !== '\r') this.#cell += c
    }
    if (text !== '') this.#isFirst = false
    return rows
  }

  /** What stands behind the last line end. */
  end(): CsvRow[] {
    return this.#cell !== '' || this.#row.length > 0 ? this.#endRow() : []
  }

  #endRow(): CsvRow[] {
    const row = { line: this.#began, cells: [...this.#row, this.#cell] }
    ;[this.#row, this.#cell, this.#began] = [[], '', this.#line]
    return row.cells.some((cell) => cell.trim() !== '') ? [row] : []
  }
}

export function parseCsv(text: string): string[][] {
  const reader = new CsvReader()
  return [...reader.push(text), ...reader.end()].map(({ cells }) => cells)
}

const LOCAL = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?$/

/** ms since 1970 UTC of ms digits, ISO 8601 with a zone, or a local date and time; undefined for anything else. */
export function instantOf(text: string, utcOffsetMin: number): number | undefined {
  const trimmed = text.trim()
  if (/^\d{12,13}$/.test(trimmed)) return Number(trimmed)
  const local = LOCAL.exec(trimmed)
  if (local) {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = local.slice(1, 7).map((part) => Number(part ?? 0))
    const ms = Number((local[7] ?? '0').padEnd(3, '0'))
    const utc = Date.UTC(year, month - 1, day, hour, minute, second, ms)
    const back = new Date(utc)
    const isReal = back.getUTCMonth() === month - 1 && back.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
    return isReal ? utc - utcOffsetMin * 60_000 : undefined
  }
  if (!/(Z|[+-]\d{2}:?\d{2})$/.test(trimmed)) return undefined
  const parsed = Date.parse(trimmed)
  return Number.isFinite(parsed) ? parsed : undefined
}
