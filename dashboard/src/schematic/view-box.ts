/** Which part of a drawing is on the screen: `scale` screen px for one of its units, `x` and `y` of the upper left corner. */
export type ViewBox = { readonly x: number; readonly y: number; readonly scale: number }
export type Size = { readonly width: number; readonly height: number }

export const LEAST_SCALE = 0.05
export const MOST_SCALE = 4

/** The whole drawing, in the middle of the screen. */
export function wholeIn(drawing: Size, screen: Size): ViewBox {
  const scale = clamp(Math.min(screen.width / drawing.width, screen.height / drawing.height))
  return { scale, x: (drawing.width - screen.width / scale) / 2, y: (drawing.height - screen.height / scale) / 2 }
}

/** Zooms so that what is under the pointer stays there. @param at px on the screen */
export function zoomAt(view: ViewBox, at: { readonly x: number; readonly y: number }, factor: number): ViewBox {
  const scale = clamp(view.scale * factor)
  return { scale, x: view.x + at.x / view.scale - at.x / scale, y: view.y + at.y / view.scale - at.y / scale }
}

/** @param by px on the screen */
export const pan = (view: ViewBox, by: { readonly x: number; readonly y: number }): ViewBox => ({
  ...view,
  x: view.x - by.x / view.scale,
  y: view.y - by.y / view.scale,
})

/** Puts a point of the drawing in the middle of the screen. */
export const centre = (view: ViewBox, at: { readonly x: number; readonly y: number }, screen: Size): ViewBox => ({
  ...view,
  x: at.x - screen.width / view.scale / 2,
  y: at.y - screen.height / view.scale / 2,
})

const clamp = (scale: number): number => Math.min(MOST_SCALE, Math.max(LEAST_SCALE, scale))
