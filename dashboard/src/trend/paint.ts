import type uPlot from 'uplot'
import type { Span } from './columns.ts'

/** What a chart shows besides its lines. Each is told by its form; colour only helps. */

type Ink = (token: string) => string
export type LimitMark = { readonly value: number; readonly label: string; readonly isGuarantee: boolean }

const PITCH_PX = 7

/** Slanting lines where samples are BAD or STALE, dots where an analyst has ruled; under the traces. */
export function paintShades(u: uPlot, { bad, ruled }: { bad: readonly Span[]; ruled: readonly Span[] }, ink: Ink): void {
  const { ctx, bbox } = u
  const pitch = PITCH_PX * devicePixelRatio
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  ctx.lineWidth = devicePixelRatio
  ctx.strokeStyle = ink('line-strong')
  for (const span of bad) {
    const [left, right] = edges(u, span)
    if (right <= left) continue
    ctx.save()
    ctx.beginPath()
    ctx.rect(left, bbox.top, right - left, bbox.height)
    ctx.clip()
    ctx.fillStyle = `${ink('line-strong')}2e`
    ctx.fillRect(left, bbox.top, right - left, bbox.height)
    ctx.beginPath()
    const start = Math.floor((left - bbox.height) / pitch) * pitch
    for (let x = start; x < right; x += pitch) {
      ctx.moveTo(x, bbox.top + bbox.height)
      ctx.lineTo(x + bbox.height, bbox.top)
    }
    ctx.globalAlpha = 0.45
    ctx.stroke()
    ctx.restore()
  }
  ctx.fillStyle = ink('line-strong')
  const dot = 1.5 * devicePixelRatio
  for (const span of ruled) {
    const [left, right] = edges(u, span)
    for (let x = left; x < right; x += pitch)
      for (let y = bbox.top + pitch / 2; y < bbox.top + bbox.height; y += pitch) ctx.fillRect(x, y, dot, dot)
  }
  ctx.restore()
}

/** In canvas pixels, cut to the plot; what is too short to be seen is made two pixels wide. */
function edges(u: uPlot, span: Span): [left: number, right: number] {
  const { left, width } = u.bbox
  const from = u.valToPos(span.from / 1000, 'x', true)
  const to = Math.max(from + 2, u.valToPos(span.to / 1000, 'x', true))
  return [Math.max(left, from), Math.min(left + width, to)]
}

/** Limits as dashed lines with their names, long dashes for the guarantee level; one out of sight is named at the edge, with an arrow. */
export function paintLimits(u: uPlot, limits: readonly LimitMark[], ink: Ink): void {
  const { ctx, bbox } = u
  const ratio = devicePixelRatio
  const rowPx = 14 * ratio
  const right = bbox.left + bbox.width - 4 * ratio
  ctx.save()
  ctx.font = `${11 * ratio}px ${getComputedStyle(document.body).fontFamily}`
  ctx.textAlign = 'right'
  ctx.textBaseline = 'middle'
  const taken: { readonly y: number; readonly left: number }[] = []
  const put = (text: string, y: number): void => {
    const width = ctx.measureText(text).width + 6 * ratio
    // Limits that lie close together are named beside each other.
    const end = Math.min(right, ...taken.filter((t) => Math.abs(t.y - y) < rowPx).map((t) => t.left))
    taken.push({ y, left: end - width })
    ctx.globalAlpha = 0.85
    ctx.fillStyle = ink('surface')
    ctx.fillRect(end - width + 3 * ratio, y - rowPx / 2, width, rowPx)
    ctx.globalAlpha = 1
    ctx.fillStyle = ctx.strokeStyle
    ctx.fillText(text, end, y)
  }
  let above = 0
  let below = 0
  for (const { value, label, isGuarantee } of limits) {
    const y = u.valToPos(value, 'y', true)
    ctx.strokeStyle = ink(isGuarantee ? 'fault' : 'stale')
    if (y < bbox.top) put(`↑ ${label}`, bbox.top + rowPx * (above++ + 0.5))
    else if (y > bbox.top + bbox.height) put(`↓ ${label}`, bbox.top + bbox.height - rowPx * (below++ + 0.5))
    else {
      ctx.beginPath()
      ctx.lineWidth = 1.2 * ratio
      ctx.setLineDash((isGuarantee ? [12, 4] : [5, 4]).map((n) => n * ratio))
      ctx.moveTo(bbox.left, y)
      ctx.lineTo(bbox.left + bbox.width, y)
      ctx.stroke()
      put(label, y)
    }
  }
  ctx.restore()
}
