import type { Priority } from '#contract/alarm.ts'
import type { Condition } from '../situation/condition.ts'
import { alarmColour, drawAlarm, drawCondition, drawTag } from './draw-mark.ts'
import { CARD, type Mark } from './layout.ts'
import type { GateLook } from './look.ts'
import type { Palette } from './palette.ts'
import { BAY, gateWidth } from './plan.ts'

/** The leaves seen from the front, each as high as it is open, with the water before and behind at the sides. */
export function drawGate(ctx: CanvasRenderingContext2D, ink: Palette, { mark, look }: { mark: Mark; look: GateLook }): void {
  const width = gateWidth(mark)
  const pitch = width / mark.structure.leaves
  const [x, y] = [mark.at.x - width / 2, mark.at.y - BAY.height / 2]
  ctx.fillStyle = ink.surface
  ctx.strokeStyle = ink.text
  ctx.lineWidth = 1
  ctx.fillRect(x, y, width, BAY.height)
  ctx.fillStyle = ink.water
  ctx.fillRect(x, y + BAY.height - look.up, width, look.up)
  for (const [i, open] of look.leaves.entries()) {
    const left = x + i * pitch
    if (open === null) {
      ctx.fillStyle = ink.condition.bad
      ctx.fillRect(left + pitch / 2 - 1, y + 2, 2, BAY.height - 4)
      continue
    }
    ctx.fillStyle = ink.leaf
    ctx.fillRect(left + 0.8, y, Math.max(0.8, pitch - 1.6), BAY.height - open)
  }
  ctx.strokeRect(x, y, width, BAY.height)
  if (!mark.across) return
  // Levels on both sides, by the same measure.
  ctx.fillStyle = ink.waterLine
  ctx.fillRect(x - 6, y + BAY.height - look.up, 4, look.up)
  ctx.fillRect(x + width + 2, y + BAY.height - look.down, 4, look.down)
}

export function drawLeader(ctx: CanvasRenderingContext2D, ink: Palette, { at, card }: Mark): void {
  ctx.beginPath()
  ctx.moveTo(at.x, at.y)
  if (card.x > at.x) ctx.lineTo(card.x, card.y + CARD.height / 2)
  else ctx.lineTo(card.x + CARD.width / 2, card.y + CARD.height)
  ctx.strokeStyle = ink.strong
  ctx.lineWidth = 1
  ctx.stroke()
}

const SIGN_PX = 11
/** Of a sign at its gate, units of the drawing. */
export const signSize = (scale: number): number => Math.max(16, SIGN_PX / scale)

/** All that is left of a gate where there is no room for its figures. @param at.scale of the view */
export function drawSign(
  ctx: CanvasRenderingContext2D,
  palette: Palette,
  { mark, condition, tagged, alarm, scale }: { mark: Mark; condition: Condition; tagged: boolean; alarm: Priority | null; scale: number },
): void {
  const size = signSize(scale)
  const { x, y } = mark.at
  drawCondition(ctx, condition, { x: x - size / 2, y: y - size / 2, size, colour: palette.condition[condition], ground: palette.surface })
  if (alarm !== null)
    drawAlarm(ctx, alarm, {
      x: x - size * 1.3,
      y: y - size * 0.4,
      size: size * 0.8,
      colour: alarmColour(palette, alarm),
      ground: palette.surface,
    })
  if (tagged) drawTag(ctx, { x: x + size / 2, y: y - size, size, palette })
}
