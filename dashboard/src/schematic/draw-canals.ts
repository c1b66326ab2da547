import { type Box, grown } from './boxes.ts'
import { type CanalLine, pointAt } from './layout.ts'
import { detailAt, FULL_SCALE } from './look.ts'
import { MOST_NAME } from './plan.ts'
import type { Scene } from './scene.ts'
import { shortened } from './shortened.ts'

const LINE_WIDTH: Readonly<Record<CanalLine['kind'], number>> = { river: 14, main: 9, trunk: 6, stub: 3 }
/** Names of two trunk canals side by side must not run into each other. */
const TRUNK_LABEL = 184
const TRUNK_NAME_SCALE = 0.2
/** Letters and stubs below it can't be told from dirt. */
const LEAST_LETTER_PX = 6
const LEAST_STUB_PX = 3

/** The canals that touch a box with their names, and the hours that water takes along them; a step for each, so that it can be cut in slices. */
export function* drawCanals(ctx: CanvasRenderingContext2D, scene: Scene, box: Box): Generator<void> {
  const lines = scene.plan.linesIn(grown(box, 2 / scene.view.scale)).flatMap((i) => scene.plan.layout.lines[i] ?? [])
  for (const line of lines) {
    drawLine(ctx, scene, line)
    yield
  }
  for (const line of lines) {
    if (!hasTicks(line, scene.view.scale)) continue
    drawTicks(ctx, scene, line)
    yield
  }
}

export const hasTicks = ({ kind, scale }: CanalLine, at: number): boolean =>
  scale !== null && detailAt(at) !== 'sign' && (kind !== 'trunk' || at >= FULL_SCALE)

function drawLine(ctx: CanvasRenderingContext2D, { palette, view, words }: Scene, line: CanalLine): void {
  if (line.kind === 'stub' && stubLength(line) * view.scale < LEAST_STUB_PX) return
  ctx.lineJoin = 'round'
  ctx.lineCap = 'butt'
  const width = Math.max(LINE_WIDTH[line.kind], 1.4 / view.scale)
  ctx.beginPath()
  for (const [i, p] of line.points.entries()) i === 0 ? ctx.moveTo(p.x, p.y) : ctx.lineTo(p.x, p.y)
  ctx.strokeStyle = palette.waterLine
  ctx.lineWidth = width + 2
  ctx.stroke()
  ctx.strokeStyle = palette.water
  ctx.lineWidth = width
  ctx.stroke()
  if (line.kind === 'stub') return
  if (view.scale < TRUNK_NAME_SCALE && line.kind === 'trunk') return
  const size = Math.max(14, Math.min(MOST_NAME, 13 / view.scale))
  if (size * view.scale < LEAST_LETTER_PX) return
  ctx.font = `600 ${size}px ${palette.font}`
  ctx.textBaseline = 'alphabetic'
  ctx.textAlign = 'left'
  const name = words.canal(line)
  label(
    ctx,
    line.kind === 'trunk' ? shortened(ctx, name, TRUNK_LABEL) : name,
    { x: line.label.x, y: line.label.y + (line.kind === 'main' ? size * 0.6 : 0) },
    { fill: palette.text, halo: palette.surface },
  )
}

function stubLength({ points }: CanalLine): number {
  const [first, last] = [points[0], points.at(-1)]
  return first && last ? Math.hypot(last.x - first.x, last.y - first.y) : 0
}

/** Travel time from the head, at the discharge of now. */
function drawTicks(ctx: CanvasRenderingContext2D, { palette, view, words, travelOf }: Scene, line: CanalLine): void {
  const travel = travelOf(line.canal.id)
  if (!travel) return
  const size = line.kind === 'main' ? Math.min(18, Math.max(11, 11 / view.scale)) : 11
  ctx.font = `${size}px ${palette.font}`
  for (const tick of travel.ticks) {
    const at = pointAt(line, tick.km)
    if (!at) continue
    const along = line.scale?.axis === 'x'
    ctx.strokeStyle = palette.text
    ctx.lineWidth = 1.2
    ctx.beginPath()
    ctx.moveTo(at.x - (along ? 0 : 7), at.y - (along ? 8 : 0))
    ctx.lineTo(at.x + (along ? 0 : 7), at.y + (along ? 8 : 0))
    ctx.stroke()
    ctx.textAlign = along ? 'center' : 'right'
    ctx.textBaseline = along ? 'top' : 'middle'
    label(
      ctx,
      words.hours(tick.hours),
      { x: along ? at.x : at.x - 10, y: along ? at.y + 10 : at.y },
      { fill: palette.muted, halo: palette.surface },
    )
  }
}

function label(ctx: CanvasRenderingContext2D, text: string, at: { x: number; y: number }, colours: { fill: string; halo: string }): void {
  ctx.lineWidth = 4
  ctx.strokeStyle = colours.halo
  ctx.strokeText(text, at.x, at.y)
  ctx.fillStyle = colours.fill
  ctx.fillText(text, at.x, at.y)
}
