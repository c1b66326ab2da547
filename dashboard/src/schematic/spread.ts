/**
 * Moves marks on a line apart until neighbours are at least `gap` from each other, each as near to where it belongs as the others let it.
 * @param wanted ascending
 * @param least nothing stands below it
 */
export function spread(wanted: readonly number[], options: { readonly gap: number; readonly least?: number }): number[] {
  const { gap, least = Number.NEGATIVE_INFINITY } = options
  // Pool adjacent violators: marks that touch move as one block, whose place is the mean of what its members want.
  const blocks: { sum: number; count: number; first: number }[] = []
  const placeOf = (block: { sum: number; count: number }): number =>
    Math.max(least, block.sum / block.count - ((block.count - 1) * gap) / 2)
  for (const [i, at] of wanted.entries()) {
    let block = { sum: at, count: 1, first: i }
    for (let before = blocks.at(-1); before && placeOf(before) + before.count * gap > placeOf(block); before = blocks.at(-1)) {
      block = { sum: before.sum + block.sum, count: before.count + block.count, first: before.first }
      blocks.pop()
    }
    blocks.push(block)
  }
  return blocks.flatMap((block) => Array.from({ length: block.count }, (_, i) => placeOf(block) + i * gap))
}
