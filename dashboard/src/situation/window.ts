/** Which lines of a long list stand in the view, so that only those are drawn. */
export type Slice = {
  readonly first: number
  /** Exclusive. */
  readonly last: number
  /** Height of the lines left out above and below, in px. */
  readonly before: number
  readonly after: number
}
export type View = {
  readonly top: number
  readonly height: number
  /** Lines drawn beyond the view on each side, for fast scrolling and the Tab key. */
  readonly margin: number
}

/** @param heights of all lines, in px */
export function sliceOf(heights: readonly number[], view: View): Slice {
  let [y, before, after] = [0, 0, 0]
  let [first, last] = [heights.length, heights.length]
  for (const [i, height] of heights.entries()) {
    const end = y + height
    if (end <= view.top) before = end
    else if (first === heights.length) first = i
    if (y < view.top + view.height) last = i + 1
    y = end
  }
  // Scrolled beyond the end, as after a filter: show the end.
  if (first === heights.length) first = Math.max(0, last - 1)
  const from = Math.max(0, first - view.margin)
  const to = Math.min(heights.length, last + view.margin)
  before = sum(heights, 0, from)
  after = sum(heights, to, heights.length)
  return { first: from, last: to, before, after }
}

function sum(heights: readonly number[], from: number, to: number): number {
  let total = 0
  for (let i = from; i < to; i++) total += heights[i] ?? 0
  return total
}
