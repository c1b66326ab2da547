/** A part of a drawing, in its own units. */
export type Box = { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number }

export const overlap = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
export const grown = (box: Box, by: number): Box => ({
  left: box.left - by,
  top: box.top - by,
  right: box.right + by,
  bottom: box.bottom + by,
})

/** @param points at least one */
export function boxAround(points: readonly { readonly x: number; readonly y: number }[]): Box {
  const [xs, ys] = [points.map((p) => p.x), points.map((p) => p.y)]
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) }
}

const CELL = 256

/** @returns what finds the boxes that overlap another one, as ascending places in the list, without looking at all of them */
export function indexBoxes(boxes: readonly Box[]): (within: Box) => number[] {
  const cells = new Map<string, number[]>()
  for (const [i, box] of boxes.entries()) {
    for (const key of cellsOf(box)) {
      const cell = cells.get(key)
      if (cell) cell.push(i)
      else cells.set(key, [i])
    }
  }
  const isIn = (i: number, within: Box): boolean => {
    const box = boxes[i]
    return box !== undefined && overlap(box, within)
  }
  return (within) => {
    const count = ((within.right - within.left) / CELL + 1) * ((within.bottom - within.top) / CELL + 1)
    if (count > cells.size) return [...boxes.keys()].filter((i) => isIn(i, within))
    const found = new Set<number>()
    for (const key of cellsOf(within)) for (const i of cells.get(key) ?? []) if (isIn(i, within)) found.add(i)
    return [...found].sort((a, b) => a - b)
  }
}

function* cellsOf({ left, top, right, bottom }: Box): Generator<string> {
  for (let x = Math.floor(left / CELL); x * CELL <= right; x++)
    for (let y = Math.floor(top / CELL); y * CELL <= bottom; y++) yield `${x},${y}`
}
