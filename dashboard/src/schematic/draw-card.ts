import { alarmColour, drawAlarm, drawCondition, drawTag } from './draw-mark.ts'
import { CARD, type Mark } from './layout.ts'
import { detailAt, type Figure, figureOf, type Marked } from './look.ts'
import type { Scene } from './scene.ts'
import { shortened } from './shortened.ts'

type Card = Marked & { readonly mark: Mark }

/** What of a gate's figures seldom changes: their ground, its name and what is wrong with it. */
export function drawFace(
  ctx: CanvasRenderingContext2D,
  { ink, words, view }: Scene,
  { mark, gate, condition, tag, alarm, selected }: Card,
): void {
  const { x, y } = mark.card
  const isFull = detailAt(view.scale) === 'full'
  const abnormal = condition !== 'normal'
  ctx.fillStyle = ink.ground
  const trouble = abnormal ? ink.condition[condition] : alarm === null ? null : alarmColour(ink, alarm.priority)
  ctx.strokeStyle = selected ? ink.focus : (trouble ?? ink.line)
  ctx.lineWidth = selected ? 3 : trouble === null ? 1 : 2
  ctx.beginPath()
  ctx.roundRect(x, y, CARD.width, CARD.height, 4)
  ctx.fill()
  ctx.stroke()
  const [top, size] = isFull ? [5, 12] : [6, 17]
  drawCondition(ctx, condition, { x: x + 6, y: y + top, size, colour: ink.condition[condition], ground: ink.ground })
  const [nameSize, indent] = isFull ? [12.5, 22] : [18, 27]
  ctx.textBaseline = 'alphabetic'
  ctx.textAlign = 'left'
  ctx.font = `600 ${nameSize}px ${ink.font}`
  ctx.fillStyle = ink.text
  const signs = (tag === null ? 0 : 16) + (alarm === null ? 0 : 17)
  ctx.fillText(shortened(ctx, words.structure(mark), CARD.width - indent - 6 - signs), x + indent, y + nameSize + 3)
  if (alarm !== null) {
    const colour = alarmColour(ink, alarm.priority)
    drawAlarm(ctx, alarm.priority, { x: x + CARD.width - 3 - signs, y: y + 5, size: 12, colour, ground: ink.ground })
  }
  if (tag !== null) drawTag(ctx, { x: x + CARD.width - 20, y: y + 3, size: 16, palette: ink })
  if (!isFull) return
  ctx.font = `12px ${ink.font}`
  ctx.fillStyle = ink.muted
  ctx.fillText(words.up, x + 7, y + 32)
  ctx.fillText(words.down, x + 81, y + 32)
  const told = abnormal ? words.condition(condition) : tag === null ? (alarm?.what ?? (gate?.moving ? words.moving : null)) : null
  if (told !== null) {
    ctx.fillStyle = trouble ?? ink.text
    ctx.fillText(shortened(ctx, told, CARD.width - 91), x + 7, y + 48)
  }
  if (tag !== null && !abnormal) {
    ctx.fillStyle = ink.warnGround
    ctx.fillRect(x + 4, y + 37, Math.min(CARD.width - 76, ctx.measureText(tag).width + 6), 14)
    ctx.fillStyle = ink.warnText
    ctx.fillText(shortened(ctx, tag, CARD.width - 82), x + 7, y + 48)
  }
}

/** What changes with every value. */
export function drawFigures(ctx: CanvasRenderingContext2D, { ink, view }: Scene, { mark, gate }: Pick<Card, 'mark' | 'gate'>): void {
  const { x, y } = mark.card
  const put = ({ text, stale }: Figure, right: number, base: number): void => {
    ctx.fillStyle = stale ? ink.dim : ink.text
    ctx.fillText(text, x + right, y + base)
  }
  ctx.textBaseline = 'alphabetic'
  ctx.textAlign = 'right'
  const flow = figureOf(gate?.flow, 'm³/s')
  if (detailAt(view.scale) === 'brief') {
    ctx.font = `20px ${ink.font}`
    put(flow, CARD.width - 8, 46)
    return
  }
  ctx.font = `12px ${ink.font}`
  put(figureOf(gate?.up, 'm'), 74, 32)
  put(figureOf(gate?.down, 'm'), CARD.width - 7, 32)
  ctx.font = `600 12.5px ${ink.font}`
  put(flow, CARD.width - 7, 48)
}
