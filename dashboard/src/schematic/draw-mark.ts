import type { Priority } from '#contract/alarm.ts'
import { isRing, PRIORITY_SHAPE } from '../alarm/priority-shape.ts'
import type { Condition } from '../situation/condition.ts'
import type { Palette } from './palette.ts'

type Place = { readonly x: number; readonly y: number; readonly size: number }
/** What stands on what. */
type Coloured = Place & { readonly colour: string; readonly ground: string }

/** Draws in a box of `units` × `units`, as the signs' own pictures have them, and leaves the context as it was. */
function inBox(ctx: CanvasRenderingContext2D, { x, y, size }: Place, units: number, draw: () => void): void {
  ctx.save()
  ctx.translate(x, y)
  ctx.scale(size / units, size / units)
  ctx.setLineDash([])
  draw()
  ctx.restore()
}

/** The signs of ConditionMark.vue on a canvas, in its box of 16 × 16: a shape of its own for each condition. */
export function drawCondition(ctx: CanvasRenderingContext2D, condition: Condition, at: Coloured): void {
  inBox(ctx, at, 16, () => {
    ctx.strokeStyle = at.colour
    ctx.fillStyle = at.colour
    ctx.lineWidth = 1.6
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
  })
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
export function drawAlarm(ctx: CanvasRenderingContext2D, priority: Priority, at: Coloured): void {
  inBox(ctx, at, 12, () => {
    const path = pathOf(PRIORITY_SHAPE[priority])
    // It may stand on a canal or on another sign.
    ctx.lineWidth = 3
    ctx.lineJoin = 'round'
    ctx.strokeStyle = at.ground
    ctx.stroke(path)
    ctx.lineWidth = 2
    ctx.strokeStyle = at.colour
    ctx.fillStyle = at.colour
    if (isRing(priority)) ctx.stroke(path)
    else ctx.fill(path)
  })
}

/** A label on a string, as TagSign.vue. */
export function drawTag(ctx: CanvasRenderingContext2D, at: Place & { readonly palette: Pick<Palette, 'warnGround' | 'warnText'> }): void {
  inBox(ctx, at, 16, () => {
    const path = pathOf('M5 4 8 .8 11 4h2v11H3V4Z')
    ctx.fillStyle = at.palette.warnGround
    ctx.strokeStyle = at.palette.warnText
    ctx.lineWidth = 1.6
    ctx.fill(path)
    ctx.stroke(path)
  })
}
