/** Lines of a text that are gone, come or stay, in order. Pure. */
export type DiffLine = { readonly kind: 'same' | 'gone' | 'new'; readonly text: string; readonly line: number }

/** The longest common run of lines stays. @returns lines with their number: in `before` for what is gone, else in `after` */
export function lineDiff(before: string, after: string): DiffLine[] {
  const [a, b] = [before.split('\n'), after.split('\n')]
  // length[i][j]: of the longest common subsequence of a[i…] and b[j…]
  const width = b.length + 1
  const length = new Uint16Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      length[i * width + j] =
        a[i] === b[j]
          ? (length[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(length[(i + 1) * width + j] ?? 0, length[i * width + j + 1] ?? 0)
  const lines: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: 'same', text: b[j] ?? '', line: j + 1 })
      i += 1
      j += 1
    } else if (i < a.length && (j === b.length || (length[(i + 1) * width + j] ?? 0) >= (length[i * width + j + 1] ?? 0))) {
      lines.push({ kind: 'gone', text: a[i] ?? '', line: i + 1 })
      i += 1
    } else {
      lines.push({ kind: 'new', text: b[j] ?? '', line: j + 1 })
      j += 1
    }
  }
  return lines
}

/** What has changed, with a line of what stays on either side. */
export function changedLines(lines: readonly DiffLine[]): DiffLine[] {
  return lines.filter((_, n) => [n - 1, n, n + 1].some((m) => lines[m] !== undefined && lines[m].kind !== 'same'))
}
