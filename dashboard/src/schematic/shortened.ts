const known = new Map<string, string>()
/** More would be another district's. */
const MOST_KNOWN = 50_000

/** A text that is too long for its place ends in `…`. @param most units of the drawing, in the context's font */
export function shortened(ctx: CanvasRenderingContext2D, text: string, most: number): string {
  const key = `${ctx.font}|${most}|${text}`
  const cached = known.get(key)
  if (cached !== undefined) return cached
  let shown = text
  while (shown.length > 2 && ctx.measureText(shown === text ? text : `${shown}…`).width > most) shown = shown.slice(0, -1)
  const result = shown === text ? text : `${shown}…`
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(key, result)
  return result
}
