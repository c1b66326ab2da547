/** A pane as it stands on the screen. */
export type PanePicture = {
  readonly canvas: HTMLCanvasElement | undefined
  readonly title: string
  readonly lines: readonly { readonly label: string; readonly stroke: string; readonly dash: string }[]
}

const HEAD_PX = 46
const CAPTION_PX = 26
const PAD_PX = 14

/** Saves the panes as one PNG with title, time and the names of the lines: a picture in a report must speak for itself. */
export function savePicture(panes: readonly PanePicture[], { title, time }: { title: string; time: string }): void {
  const drawn = panes.flatMap(({ canvas, ...pane }) => (canvas ? [{ canvas, ...pane }] : []))
  const ratio = devicePixelRatio
  const style = getComputedStyle(document.documentElement)
  const colour = (token: string): string => style.getPropertyValue(token).trim()
  const sheet = document.createElement('canvas')
  sheet.width = Math.max(...drawn.map((p) => p.canvas.width)) + 2 * PAD_PX * ratio
  sheet.height = (HEAD_PX + PAD_PX) * ratio + drawn.reduce((sum, p) => sum + p.canvas.height + CAPTION_PX * ratio, 0)
  const ctx = sheet.getContext('2d')
  if (!ctx) return
  const family = getComputedStyle(document.body).fontFamily
  ctx.fillStyle = colour('--surface')
  ctx.fillRect(0, 0, sheet.width, sheet.height)
  ctx.fillStyle = colour('--text')
  ctx.font = `600 ${16 * ratio}px ${family}`
  ctx.fillText(title, PAD_PX * ratio, 22 * ratio)
  ctx.font = `${12 * ratio}px ${family}`
  ctx.fillText(time, PAD_PX * ratio, 39 * ratio)
  let y = HEAD_PX * ratio
  for (const pane of drawn) {
    let x = PAD_PX * ratio
    const base = y + 17 * ratio
    const put = (text: string): void => {
      ctx.fillStyle = colour('--text')
      ctx.fillText(text, x, base)
      x += ctx.measureText(text).width + 16 * ratio
    }
    put(pane.title)
    for (const line of pane.lines) {
      ctx.strokeStyle = colour(line.stroke.slice('var('.length, -1))
      ctx.lineWidth = 2 * ratio
      ctx.setLineDash(line.dash === '' ? [] : line.dash.split(' ').map((n) => Number(n) * ratio))
      ctx.beginPath()
      ctx.moveTo(x, base - 4 * ratio)
      ctx.lineTo(x + 26 * ratio, base - 4 * ratio)
      ctx.stroke()
      x += 31 * ratio
      put(line.label)
    }
    ctx.drawImage(pane.canvas, PAD_PX * ratio, y + CAPTION_PX * ratio)
    y += pane.canvas.height + CAPTION_PX * ratio
  }
  sheet.toBlob((blob) => {
    if (!blob) return
    const link = document.createElement('a')
    link.href = URL.createObjectURL(blob)
    link.download = `${title} ${time}.png`.replaceAll(/[:/\\]/g, '-')
    link.click()
    URL.revokeObjectURL(link.href)
  }, 'image/png')
}
