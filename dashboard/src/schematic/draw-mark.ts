import type { Priority } from '#contract/alarm.ts'
import { isRing, PRIORITY_SHAPE } from '../alarm/priority-shape.ts'
import type { Condition } from '../situation/condition.ts'
import type { Palette } from './palette.ts'

/** The signs of ConditionMark.vue on a canvas, in its box of 16 × 16: a shape of its own for each condition. */
export function drawCondition(
  ctx: CanvasRenderingContext2D,
  condition: Condition,
  at: { x: number; y: number; size: number; colour: string; ground: string },
): void {
  ctx.save()
  ctx.translate(at.x, at.y)
  ctx.scale(at.size / 16, at.size / 16)
  ctx.strokeStyle = at.colour
  ctx.fillStyle = at.colour
  ctx.lineWidth = 1.6
  ctx.setLineDash([])
  const path = pathOf(SHAPES[condition])
  switch (condition) {
    case 'fault':
    case 'bad':
      ctx.fill(path)
      ctx.strokeStyle = at.ground
      ctx.stroke(pathOf(INSIDE[condition]))
      break
    case 'offline':
      ctx.lineWidth = 2.8
      ctx.stroke(path)
      break
    case 'no_data':
      ctx.setLineDash([2.5, 2])
      ctx.stroke(path)
      break
    case 'stale':
      ctx.stroke(path)
      break
    case 'normal':
      ctx.fill(path)
  }
  ctx.restore()
}

const SHAPES: Readonly<Record<Condition, string>> = {
  fault: 'M8 1 15.5 15H.5Z',
  offline: 'M2.5 2.5 13.5 13.5M13.5 2.5 2.5 13.5',
  bad: 'M8 .8 15.2 8 8 15.2.8 8Z',
  stale: 'M8 1.5a6.5 6.5 0 1 0 .01 0M8 4v4.3l2.8 1.8',
  no_data: 'M2.5 2.5h11v11h-11Z',
  normal: 'M8 5.4a2.6 2.6 0 1 0 .01 0Z',
}
const INSIDE = { fault: 'M8 6v4.5M8 12v1.6', bad: 'M8 4.6v4M8 10.4v1.4' } as const

const paths = new Map<string, Path2D>()
/** To read a path takes longer than to draw it. */
function pathOf(shape: string): Path2D {
  const known = paths.get(shape)
  if (known) return known
  const path = new Path2D(shape)
  paths.set(shape, path)
  return path
}

/** Colours as PriorityMark.vue has them. */
const COLOUR_OF: Readonly<Record<Priority, Condition>> = { critical: 'fault', high: 'bad', medium: 'stale', low: 'no_data' }
export const alarmColour = ({ condition }: Pick<Palette, 'condition'>, priority: Priority): string => condition[COLOUR_OF[priority]]

/** The sign of PriorityMark.vue: a level over its limit is a good value, and no condition of the gate tells of it. */
export function drawAlarm(
  ctx: CanvasRenderingContext2D,
  priority: Priority,
  at: { x: number; y: number; size: number; palette: Pick<Palette, 'condition' | 'surface'> },
): void {
  ctx.save()
  ctx.translate(at.x, at.y)
  ctx.scale(at.size / 12, at.size / 12)
  const path = pathOf(PRIORITY_SHAPE[priority])
  // It may stand on a canal or on another sign.
  ctx.lineWidth = 3
  ctx.lineJoin = 'round'
  ctx.setLineDash([])
  ctx.strokeStyle = at.palette.surface
  ctx.stroke(path)
  ctx.lineWidth = 2
  ctx.fillStyle = ctx.strokeStyle = alarmColour(at.palette, priority)
  if (isRing(priority)) ctx.stroke(path)
  else ctx.fill(path)
  ctx.restore()
}

/** A label on a string, as TagSign.vue. */
export function drawTag(
  ctx: CanvasRenderingContext2D,
  at: { x: number; y: number; size: number; palette: Pick<Palette, 'warnGround' | 'warnText'> },
): void {
  ctx.save()
  ctx.translate(at.x, at.y)
  ctx.scale(at.size / 16, at.size / 16)
  const path = pathOf('M5 4 8 .8 11 4h2v11H3V4Z')
  ctx.fillStyle = at.palette.warnGround
  ctx.strokeStyle = at.palette.warnText
  ctx.lineWidth = 1.6
  ctx.fill(path)
  ctx.stroke(path)
  ctx.restore()
}
