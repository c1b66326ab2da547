import type { Box } from './boxes.ts'
import { pxPerUnit, type Scene } from './scene.ts'

/** A canvas of the screen's size that is drawn on in units of the drawing. */
export type Layer = { readonly canvas: HTMLCanvasElement; readonly ctx: CanvasRenderingContext2D }

export function layerOn(canvas: HTMLCanvasElement): Layer {
  const ctx = canvas.getContext('2d', { alpha: false })
  if (!ctx) throw new Error('this browser draws on no canvas: the schematic needs one')
  return { canvas, ctx }
}
export const newLayer = (): Layer => layerOn(document.createElement('canvas'))

export const widthPx = ({ screen, pixelRatio }: Scene): number => Math.round(screen.width * pixelRatio)
export const heightPx = ({ screen, pixelRatio }: Scene): number => Math.round(screen.height * pixelRatio)

/** What was on it is gone when its size differs. */
export function fitTo({ canvas }: Layer, scene: Scene): void {
  const [width, height] = [widthPx(scene), heightPx(scene)]
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
}

export function inUnits({ ctx }: Layer, scene: Scene): CanvasRenderingContext2D {
  const k = pxPerUnit(scene)
  ctx.setTransform(k, 0, 0, k, -scene.view.x * k, -scene.view.y * k)
  return ctx
}

/** A whole number of px, so that what is drawn anew has no seam. */
export type Cut = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }

/** @returns null where nothing of the box is on the screen */
export function cutOf(scene: Scene, box: Box): Cut | null {
  const k = pxPerUnit(scene)
  const { x, y } = scene.view
  const [left, top] = [Math.max(0, Math.floor((box.left - x) * k)), Math.max(0, Math.floor((box.top - y) * k))]
  const [right, bottom] = [
    Math.min(widthPx(scene), Math.ceil((box.right - x) * k)),
    Math.min(heightPx(scene), Math.ceil((box.bottom - y) * k)),
  ]
  return right > left && bottom > top ? { x: left, y: top, width: right - left, height: bottom - top } : null
}

/** The part of the drawing that a cut shows. */
export function boxOf(scene: Scene, { x, y, width, height }: Cut): Box {
  const k = pxPerUnit(scene)
  const { view } = scene
  return { left: view.x + x / k, top: view.y + y / k, right: view.x + (x + width) / k, bottom: view.y + (y + height) / k }
}

/** Copies px for px: smoothing would only cost. */
export function copy(from: Layer, to: Layer, { x, y, width, height }: Cut): void {
  const { ctx } = to
  ctx.setTransform(1, 0, 0, 1, 0, 0)
  ctx.imageSmoothingEnabled = false
  ctx.drawImage(from.canvas, x, y, width, height, x, y, width, height)
}

/** Draws in a cut and nowhere else. */
export function within(layer: Layer, scene: Scene, cut: Cut, draw: (ctx: CanvasRenderingContext2D) => void): void {
  const { ctx } = layer
  ctx.save()
  ctx.setTransform(1, 0, 0, 1, 0, 0)
  ctx.beginPath()
  ctx.rect(cut.x, cut.y, cut.width, cut.height)
  ctx.clip()
  draw(inUnits(layer, scene))
  ctx.restore()
}
