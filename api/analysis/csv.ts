/** RFC 4180: quoted cells may hold commas, quotes and line ends; a BOM and empty lines are passed over. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let [row, cell, quoted]: [string[], string, boolean] = [[], '', false]
  const endRow = (): void => {
    row.push(cell)
    if (row.some((c) => c.trim() !== '')) rows.push(row)
    ;[row, cell] = [[], '']
  }
  const source = text.replace(/^\uFEFF/, '')
  for (let i = 0; i < source.length; i++) {
    const c = source.charAt(i)
    if (quoted) {
      if (c !== '"') cell += c
      else if (source.charAt(i + 1) === '"') {
        cell += '"'
        i++
      } else quoted = false
    } else if (c === '"' && cell === '') quoted = true
    else if (c === ',') {
      row.push(cell)
      cell = ''
    } else if (c === '\n') endRow()
    else if (c !== '\r') cell += c
  }
  if (cell !== '' || row.length > 0) endRow()
  return rows
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
