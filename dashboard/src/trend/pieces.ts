import uPlot from 'uplot'

/** Points of a piece: in shorter ones there is more double ink, in longer ones no more time is won. */
const PIECE = 256
/** From so many points for a px on uPlot draws a column's extremes instead. */
const DENSE = 4

/**
 * A solid line as several strokes. Without a graphics card a wide stroke of thousands of turns is filled as one outline that crosses itself, which takes
 * five times as long (`test/bench/trend-chart.bench.ts`). Neighbours share a segment, so that their joint is round the corner in one of them; dashes
 * would begin anew in each.
 * @param stroke a CSS colour
 */
export function inPieces(stroke: string): uPlot.Series.PathBuilder | undefined {
  const linear = uPlot.paths.linear?.()
  if (!linear) return undefined
  return (u, series, from, to) => {
    const whole = linear(u, series, from, to)
    const isWide = (u.series[series]?.width ?? 0) * devicePixelRatio > 1
    if (!whole || !isWide || to - from <= PIECE || to - from >= u.bbox.width * DENSE) return whole
    const strokes = new Map<string, Path2D>()
    for (const [start, end] of piecesOf(from, to)) {
      const piece = linear(u, series, start, end)?.stroke
      // uPlot strokes each path of a map in the colour that is its key: one colour, written differently.
      if (piece instanceof Path2D) strokes.set(stroke.padEnd(stroke.length + strokes.size), piece)
    }
    return { ...whole, stroke: strokes }
  }
}

/** @returns from and to of each piece, both included; all but the first begin a segment before the last one's end */
export function piecesOf(from: number, to: number): [number, number][] {
  const pieces: [number, number][] = []
  for (let start = from; start < to; start += PIECE) pieces.push([Math.max(from, start - 1), Math.min(to, start + PIECE)])
  return pieces
}
