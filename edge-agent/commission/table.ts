/** Text for a terminal of any width, a phone's 40 columns too. Pure. */

export type Column = { readonly title: string; readonly align?: 'left' | 'right' }

/** Columns side by side where they fit; otherwise each row as a block, its first cell as the heading. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  if (rows.length === 0) return []
  const widths = columns.map((c, i) => Math.max(c.title.length, ...rows.map((r) => (r[i] ?? '').length)))
  const total = widths.reduce((a, b) => a + b, 0) + 2 * (columns.length - 1)
  if (total > width) return rows.flatMap((row) => block(columns, row, width))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (columns[i]?.align === 'right' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  return [line(columns.map((c) => c.title)), ...rows.map(line)]
}

function block(columns: readonly Column[], row: readonly string[], width: number): string[] {
  const [head = '', ...others] = row
  const label = Math.max(...columns.slice(1).map((c) => c.title.length))
  const lines = others.flatMap((cell, i) => {
    if (cell === '') return []
    const [first = '', ...rest] = wrap(cell, width - label - 4)
    const blank = ' '.repeat(label + 4)
    return [`  ${(columns[i + 1]?.title ?? '').padEnd(label)}  ${first}`, ...rest.map((r) => `${blank}${r}`)]
  })
  return [...wrap(head, width), ...lines]
}

/** Breaks at spaces, and within a word that is longer than a line. */
export function wrap(text: string, width: number, indent = ''): string[] {
  const room = Math.max(8, width - indent.length)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    let rest = word
    if (line !== '' && line.length + 1 + rest.length > room) {
      lines.push(line)
      line = ''
    }
    while (rest.length > room) {
      lines.push(rest.slice(0, room))
      rest = rest.slice(room)
    }
    line = line === '' ? rest : `${line} ${rest}`
  }
  return [...lines, line].map((l, i) => (i === 0 ? l : indent + l))
}

/** `2 min 5 s`, `3 d 4 h`: the two largest units. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000))
  const parts: readonly [number, string][] = [
    [Math.floor(s / 86_400), 'd'],
    [Math.floor((s % 86_400) / 3600), 'h'],
    [Math.floor((s % 3600) / 60), 'min'],
    [s % 60, 's'],
  ]
  const first = parts.findIndex(([n]) => n > 0)
  if (first < 0) return '0 s'
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(' ')
}

export function byteCount(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(2)} MB`
}

/** Seven digits are what a float32 holds. */
export function shownNumber(n: number): string {
  if (Number.isInteger(n) && Math.abs(n) < 1e15) return String(n)
  return String(Number(n.toPrecision(7)))
}

export const hexWord = (word: number): string => word.toString(16).toUpperCase().padStart(4, '0')
