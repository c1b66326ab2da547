import { drawCondition } from '../schematic/draw-mark.ts'
import type { Palette } from '../schematic/palette.ts'
import type { Condition } from '../situation/condition.ts'

export type Picture = { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray }
const SIZE = 24
const LABEL_PX = 13

export type MarkState = {
  readonly condition: Condition
  readonly water: 'open' | 'closed' | 'unknown'
  readonly alarm: 'none' | 'unacknowledged'
}
export const markName = ({ condition, water, alarm }: MarkState): string => `mark ${condition} ${water} ${alarm}`
export const labelName = (text: string): string => `label ${text}`

/** Pictures are made here from the page's own fonts and colours: nothing is fetched. @returns undefined for a name that is none of ours. */
export function pictureOf(name: string, palette: Palette, ratio: number): Picture | undefined {
  const [kind = '', condition = '', water = '', alarm = ''] = name.split(' ')
  if (kind === 'label') return labelPicture(name.slice('label '.length), palette, ratio)
  if (kind !== 'mark') return undefined
  return painted({ width: SIZE, height: SIZE, ratio }, (ctx) => {
    const middle = SIZE / 2
    ctx.lineWidth = 1.8
    if (alarm === 'unacknowledged') {
      ctx.strokeStyle = palette.condition.fault
      ctx.beginPath()
      ctx.arc(middle, middle, 10.6, 0, 2 * Math.PI)
      ctx.stroke()
    }
    if (condition === 'normal') {
      ctx.beginPath()
      ctx.arc(middle, middle, 4.6, 0, 2 * Math.PI)
      ctx.fillStyle = water === 'open' ? palette.waterLine : palette.surface
      ctx.strokeStyle = water === 'open' ? palette.surface : palette.strong
      ctx.fill()
      ctx.stroke()
      return
    }
    const colour = palette.condition[condition as Condition]
    ctx.fillStyle = palette.surface
    ctx.beginPath()
    ctx.arc(middle, middle, 9, 0, 2 * Math.PI)
    ctx.fill()
    drawCondition(ctx, condition as Condition, { x: middle - 7, y: middle - 7, size: 14, colour, ground: palette.surface })
  })
}

function labelPicture(text: string, palette: Palette, ratio: number): Picture {
  const font = `${LABEL_PX}px ${palette.font}`
  const measure = document.createElement('canvas').getContext('2d')
  if (!measure) throw new Error('there is no canvas')
  measure.font = font
  const width = Math.ceil(measure.measureText(text).width) + 8
  return painted({ width, height: LABEL_PX + 8, ratio }, (ctx) => {
    ctx.font = font
    ctx.textBaseline = 'middle'
    ctx.lineJoin = 'round'
    ctx.lineWidth = 3.5
    ctx.strokeStyle = palette.ground
    ctx.fillStyle = palette.text
    ctx.strokeText(text, 4, (LABEL_PX + 8) / 2)
    ctx.fillText(text, 4, (LABEL_PX + 8) / 2)
  })
}

function painted(
  { width, height, ratio }: { width: number; height: number; ratio: number },
  paint: (ctx: CanvasRenderingContext2D) => void,
): Picture {
  const canvas = document.createElement('canvas')
  canvas.width = Math.ceil(width * ratio)
  canvas.height = Math.ceil(height * ratio)
  const ctx = canvas.getContext('2d')
  if (!ctx) throw new Error('there is no canvas')
  ctx.scale(ratio, ratio)
  paint(ctx)
  return { width: canvas.width, height: canvas.height, data: ctx.getImageData(0, 0, canvas.width, canvas.height).data }
}
