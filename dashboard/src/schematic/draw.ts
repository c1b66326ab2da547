import { fixed } from '../display/number.ts'
import type { Condition } from '../situation/condition.ts'
import { drawCondition, drawTag } from './draw-mark.ts'
import { type GateView, known } from './gate-view.ts'
import { CARD, type CanalLine, type Layout, type Mark, pointAt } from './layout.ts'
import type { Palette } from './palette.ts'
import type { CanalTravel } from './travel.ts'
import type { Size, ViewBox } from './view-box.ts'

export type Words = {
  readonly structure: (mark: Mark) => string
  readonly canal: (line: CanalLine) => string
  readonly condition: (condition: Condition) => string
  readonly up: string
  readonly down: string
  readonly moving: string
  readonly hours: (hours: number) => string
}
export type Scene = {
  readonly layout: Layout
  readonly view: ViewBox
  readonly screen: Size
  readonly pixelRatio: number
  readonly palette: Palette
  readonly words: Words
  readonly gateOf: (id: string) => GateView | undefined
  readonly travelOf: (canal: string) => CanalTravel | null
  /** Until when a gate is tagged out, in words; null where it is not. */
  readonly tagOf: (id: string) => string | null
  readonly selected: string | null
  /** The values are not live: they are drawn pale. */
  readonly notLive: boolean
}

/** From this scale on the figures are legible as they are; below, fewer of them are drawn larger; then only signs. */
const FULL_SCALE = 0.8
const BRIEF_SCALE = 0.36
const LINE_WIDTH: Readonly<Record<CanalLine['kind'], number>> = { river: 14, main: 9, trunk: 6, stub: 3 }
const BAY = { width: 7, height: 18 } as const
const MOST_BAYS_PX = 70
/** Names of two trunk canals side by side must not run into each other. */
const TRUNK_LABEL = 184

export type Detail = 'full' | 'brief' | 'sign'
export const detailAt = (scale: number): Detail => (scale >= FULL_SCALE ? 'full' : scale >= BRIEF_SCALE ? 'brief' : 'sign')

/** Draws what is in view. @returns how many structures that was */
export function drawScene(ctx: CanvasRenderingContext2D, scene: Scene): number {
  const { view, screen, pixelRatio, palette } = scene
  ctx.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0)
  ctx.fillStyle = palette.surface
  ctx.fillRect(0, 0, screen.width, screen.height)
  const k = view.scale * pixelRatio
  ctx.setTransform(k, 0, 0, k, -view.x * k, -view.y * k)
  const seen = {
    left: view.x - CARD.width,
    top: view.y - 120,
    right: view.x + screen.width / view.scale,
    bottom: view.y + screen.height / view.scale + 60,
  }
  for (const line of scene.layout.lines) drawLine(ctx, scene, line)
  for (const line of scene.layout.lines) drawTicks(ctx, scene, line)
  let drawn = 0
  for (const mark of scene.layout.marks) {
    if (mark.card.x > seen.right || mark.card.x < seen.left || mark.card.y > seen.bottom || mark.card.y < seen.top) continue
    drawStructure(ctx, scene, mark)
    drawn++
  }
  return drawn
}

function drawLine(ctx: CanvasRenderingContext2D, scene: Scene, line: CanalLine): void {
  const { palette, view } = scene
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
  if (view.scale < 0.2 && line.kind === 'trunk') return
  const size = Math.max(14, Math.min(26, 13 / view.scale))
  ctx.font = `600 ${size}px ${palette.font}`
  ctx.textBaseline = 'alphabetic'
  ctx.textAlign = 'left'
  label(
    ctx,
    line.kind === 'trunk' ? shortened(ctx, scene.words.canal(line), TRUNK_LABEL) : scene.words.canal(line),
    { x: line.label.x, y: line.label.y + (line.kind === 'main' ? size * 0.6 : 0) },
    { fill: palette.text, halo: palette.surface },
  )
}

/** Travel time from the head, at the discharge of now. */
function drawTicks(ctx: CanvasRenderingContext2D, scene: Scene, line: CanalLine): void {
  const travel = line.scale ? scene.travelOf(line.canal.id) : null
  if (!travel || detailAt(scene.view.scale) === 'sign' || (line.kind === 'trunk' && scene.view.scale < FULL_SCALE)) return
  const size = line.kind === 'main' ? Math.min(18, Math.max(11, 11 / scene.view.scale)) : 11
  ctx.font = `${size}px ${scene.palette.font}`
  ctx.strokeStyle = scene.palette.text
  ctx.lineWidth = 1.2
  for (const tick of travel.ticks) {
    const at = pointAt(line, tick.km)
    if (!at) continue
    const along = line.scale?.axis === 'x'
    ctx.beginPath()
    ctx.moveTo(at.x - (along ? 0 : 7), at.y - (along ? 8 : 0))
    ctx.lineTo(at.x + (along ? 0 : 7), at.y + (along ? 8 : 0))
    ctx.stroke()
    ctx.textAlign = along ? 'center' : 'right'
    ctx.textBaseline = along ? 'top' : 'middle'
    label(
      ctx,
      scene.words.hours(tick.hours),
      { x: along ? at.x : at.x - 10, y: along ? at.y + 10 : at.y },
      { fill: scene.palette.muted, halo: scene.palette.surface },
    )
  }
}

function drawStructure(ctx: CanvasRenderingContext2D, scene: Scene, mark: Mark): void {
  const { palette, view } = scene
  const gate = scene.gateOf(mark.structure.id)
  const detail = detailAt(view.scale)
  if (detail === 'sign') {
    const size = Math.max(16, 11 / view.scale)
    drawCondition(ctx, gate?.condition ?? 'no_data', {
      x: mark.at.x - size / 2,
      y: mark.at.y - size / 2,
      size,
      colour: palette.condition[gate?.condition ?? 'no_data'],
      ground: palette.surface,
    })
    if (scene.tagOf(mark.structure.id) !== null) drawTag(ctx, { x: mark.at.x + size / 2, y: mark.at.y - size, size, palette })
    return
  }
  ctx.globalAlpha = scene.notLive ? 0.55 : 1
  if (mark.across && Math.abs(mark.card.y + CARD.height / 2 - mark.at.y) > 4) drawLeader(ctx, scene, mark)
  drawGate(ctx, scene, { mark, gate })
  drawCard(ctx, scene, { mark, gate, detail })
  ctx.globalAlpha = 1
}

function drawLeader(ctx: CanvasRenderingContext2D, { palette }: Scene, { at, card }: Mark): void {
  ctx.beginPath()
  ctx.moveTo(at.x, at.y)
  if (card.x > at.x) ctx.lineTo(card.x, card.y + CARD.height / 2)
  else ctx.lineTo(card.x + CARD.width / 2, card.y + CARD.height)
  ctx.strokeStyle = palette.strong
  ctx.lineWidth = 1
  ctx.stroke()
}

/** The leaves seen from the front, each as high as it is open, with the water before and behind at the sides. */
function drawGate(ctx: CanvasRenderingContext2D, { palette }: Scene, { mark, gate }: { mark: Mark; gate: GateView | undefined }): void {
  const count = mark.structure.leaves
  const bay = Math.min(BAY.width, MOST_BAYS_PX / count)
  const width = mark.across ? bay * count : Math.min(bay * count, 24)
  const pitch = width / count
  const [x, y] = [mark.at.x - width / 2, mark.at.y - BAY.height / 2]
  ctx.fillStyle = palette.surface
  ctx.strokeStyle = palette.text
  ctx.lineWidth = 1
  ctx.fillRect(x, y, width, BAY.height)
  const height_m = Math.max(0.1, mark.structure.design_level_up_m - mark.structure.sill_m)
  const share = (value: number | null): number => (value === null ? 0 : Math.min(1, Math.max(0, value / (height_m * 1.15))))
  const waterUp = share(known(gate?.up)) * BAY.height
  ctx.fillStyle = palette.water
  ctx.fillRect(x, y + BAY.height - waterUp, width, waterUp)
  for (const [i, leaf] of (gate?.leaves ?? []).entries()) {
    const left = x + i * pitch
    if (!leaf.reading || leaf.reading.quality === 'bad') {
      ctx.fillStyle = palette.condition.bad
      ctx.fillRect(left + pitch / 2 - 1, y + 2, 2, BAY.height - 4)
      continue
    }
    const open = leaf.reading.value > 0.005 ? Math.max(2, share(leaf.reading.value) * BAY.height) : 0
    ctx.fillStyle = palette.leaf
    ctx.fillRect(left + 0.8, y, Math.max(0.8, pitch - 1.6), BAY.height - open)
  }
  ctx.strokeRect(x, y, width, BAY.height)
  if (!mark.across) return
  // Levels on both sides, by the same measure.
  for (const [side, reading] of [
    [-1, gate?.up],
    [1, gate?.down],
  ] as const) {
    const level = share(known(reading)) * BAY.height
    ctx.fillStyle = palette.waterLine
    ctx.fillRect(side < 0 ? x - 6 : x + width + 2, y + BAY.height - level, 4, level)
  }
}

function drawCard(
  ctx: CanvasRenderingContext2D,
  scene: Scene,
  { mark, gate, detail }: { mark: Mark; gate: GateView | undefined; detail: Detail },
): void {
  const { palette } = scene
  const { x, y } = mark.card
  const condition = gate?.condition ?? 'no_data'
  const abnormal = condition !== 'normal'
  const isSelected = scene.selected === mark.structure.id
  const tag = scene.tagOf(mark.structure.id)
  ctx.fillStyle = palette.ground
  ctx.strokeStyle = isSelected ? palette.focus : abnormal ? palette.condition[condition] : palette.line
  ctx.lineWidth = isSelected ? 3 : abnormal ? 2 : 1
  ctx.beginPath()
  ctx.roundRect(x, y, CARD.width, CARD.height, 4)
  ctx.fill()
  ctx.stroke()
  const size = detail === 'full' ? 12 : 20
  const nameSize = detail === 'full' ? 12.5 : 18
  drawCondition(ctx, condition, {
    x: x + 6,
    y: y + (detail === 'full' ? 5 : 6),
    size: detail === 'full' ? 12 : 17,
    colour: palette.condition[condition],
    ground: palette.ground,
  })
  ctx.textBaseline = 'alphabetic'
  ctx.textAlign = 'left'
  ctx.font = `600 ${nameSize}px ${palette.font}`
  ctx.fillStyle = palette.text
  const indent = detail === 'full' ? 22 : 27
  ctx.fillText(shortened(ctx, scene.words.structure(mark), CARD.width - indent - (tag === null ? 6 : 22)), x + indent, y + nameSize + 3)
  if (tag !== null) drawTag(ctx, { x: x + CARD.width - 20, y: y + 3, size: 16, palette })
  ctx.textAlign = 'right'
  ctx.font = `${size}px ${palette.font}`
  if (detail === 'brief') {
    figure(ctx, scene, { text: flowText(gate), stale: isStale(gate?.flow), x: x + CARD.width - 8, y: y + 46 })
    return
  }
  ctx.textAlign = 'left'
  ctx.fillStyle = palette.muted
  ctx.fillText(scene.words.up, x + 7, y + 32)
  ctx.fillText(scene.words.down, x + 81, y + 32)
  if (abnormal || (gate?.moving && tag === null)) {
    ctx.fillStyle = abnormal ? palette.condition[condition] : palette.text
    ctx.fillText(abnormal ? scene.words.condition(condition) : scene.words.moving, x + 7, y + 48)
  }
  if (tag !== null && !abnormal) {
    ctx.fillStyle = palette.warnGround
    ctx.fillRect(x + 4, y + 37, Math.min(CARD.width - 76, ctx.measureText(tag).width + 6), 14)
    ctx.fillStyle = palette.warnText
    ctx.fillText(shortened(ctx, tag, CARD.width - 82), x + 7, y + 48)
  }
  ctx.textAlign = 'right'
  figure(ctx, scene, { text: levelText(gate?.up), stale: isStale(gate?.up), x: x + 74, y: y + 32 })
  figure(ctx, scene, { text: levelText(gate?.down), stale: isStale(gate?.down), x: x + CARD.width - 7, y: y + 32 })
  ctx.font = `600 ${size + 0.5}px ${palette.font}`
  figure(ctx, scene, { text: flowText(gate), stale: isStale(gate?.flow), x: x + CARD.width - 7, y: y + 48 })
}

const isStale = (reading: GateView['flow']): boolean => reading?.quality === 'stale'
const levelText = (reading: GateView['up']): string =>
  reading === undefined || reading.quality === 'bad' ? '✕' : `${fixed(reading.value, 2)} m`
function flowText(gate: GateView | undefined): string {
  const reading = gate?.flow
  return reading === undefined || reading.quality === 'bad' ? '✕ m³/s' : `${fixed(reading.value, 2)} m³/s`
}
function figure(ctx: CanvasRenderingContext2D, { palette }: Scene, at: { text: string; stale: boolean; x: number; y: number }): void {
  ctx.fillStyle = at.stale ? palette.dim : palette.text
  // An old value in brackets: told without colour.
  ctx.fillText(at.stale ? `(${at.text})` : at.text, at.x, at.y)
}
function label(ctx: CanvasRenderingContext2D, text: string, at: { x: number; y: number }, colours: { fill: string; halo: string }): void {
  ctx.lineWidth = 4
  ctx.strokeStyle = colours.halo
  ctx.strokeText(text, at.x, at.y)
  ctx.fillStyle = colours.fill
  ctx.fillText(text, at.x, at.y)
}

const widths = new Map<string, string>()
function shortened(ctx: CanvasRenderingContext2D, text: string, most: number): string {
  const key = `${ctx.font}|${most}|${text}`
  const cached = widths.get(key)
  if (cached !== undefined) return cached
  let shown = text
  while (shown.length > 2 && ctx.measureText(shown === text ? text : `${shown}…`).width > most) shown = shown.slice(0, -1)
  const result = shown === text ? text : `${shown}…`
  widths.set(key, result)
  return result
}
