import type { Box } from './boxes.ts'
import { grown } from './boxes.ts'
import { drawLive, drawStill, keysNow, signReach } from './draw.ts'
import { boxOf, type Cut, copy, cutOf, fitTo, heightPx, inUnits, layerOn, newLayer, widthPx, within } from './layers.ts'
import type { Mark } from './layout.ts'
import { detailAt, type Keys } from './look.ts'
import { cardBox, gateBox } from './plan.ts'
import type { Scene } from './scene.ts'
import type { ViewBox } from './view-box.ts'

/**
 * The time that drawing may take of a frame, ms, as JavaScript sees it: without a graphics card what was asked for is painted after it, which takes
 * about twice as long again.
 */
const SLICE_MS = 4
/** Values are drawn no more often while nobody moves the drawing. */
const VALUES_EVERY_MS = 500
/** Of the gates in view: when more have changed it is sooner done to draw all of them. */
const MANY = 0.5

export type Painter = {
  /** The view has moved: what is drawn is moved at once, and drawn anew as soon as it can be. */
  move(): void
  /** Something that the whole drawing depends on has changed. */
  redraw(): void
  /** Gates may have changed. @param soon their condition has, and not only a value */
  refresh(soon: boolean): void
  stop(): void
}

/** Keeps a canvas as the scene is, never longer at once than a slice of a frame. @param sceneNow null as long as there is nothing to draw */
export function startPainter(canvas: HTMLCanvasElement, sceneNow: () => Scene | null): Painter {
  const shown = layerOn(canvas)
  const [still, next] = [newLayer(), newLayer()]
  /** What `shown` shows, gate by gate. */
  let drawn: { readonly scene: Scene; readonly marks: readonly Mark[]; readonly keys: Map<Mark, Keys> } | null = null
  let work: Generator<void> | null = null
  let [isOutdated, isStale, isUrgent] = [false, false, false]
  let lookedAt = Number.NEGATIVE_INFINITY
  let frame: number | undefined
  let later: ReturnType<typeof setTimeout> | undefined

  function* drawAll(scene: Scene): Generator<void> {
    fitTo(still, scene)
    yield* drawStill(inUnits(still, scene), scene, boxOf(scene, wholeOf(scene)))
    const detail = detailAt(scene.view.scale)
    const seen = grown(boxOf(scene, wholeOf(scene)), detail === 'sign' ? signReach(scene.view.scale) : 0)
    const places = new Set([...scene.plan.gatesIn(seen), ...(detail === 'sign' ? [] : scene.plan.cardsIn(seen))])
    const marks = [...places].flatMap((i) => scene.plan.layout.marks[i] ?? [])
    yield
    yield* drawAllLive(scene, marks)
  }

  function* drawAllLive(scene: Scene, marks: readonly Mark[]): Generator<void> {
    const keys = new Map<Mark, Keys>()
    for (const mark of marks) {
      keys.set(mark, keysNow(scene, mark))
      yield
    }
    fitTo(next, scene)
    copy(still, next, wholeOf(scene))
    yield* drawLive(inUnits(next, scene), scene, boxOf(scene, wholeOf(scene)))
    fitTo(shown, scene)
    copy(next, shown, wholeOf(scene))
    canvas.style.width = `${scene.screen.width}px`
    canvas.style.height = `${scene.screen.height}px`
    drawn = { scene, marks, keys }
    place()
  }

  function* drawChanged(): Generator<void> {
    if (!drawn) return
    const { scene, marks, keys } = drawn
    const changed: { mark: Mark; now: Keys; before: Keys | undefined }[] = []
    for (const mark of marks) {
      const now = keysNow(scene, mark)
      const before = keys.get(mark)
      if (now.face !== before?.face || now.figures !== before.figures || now.gate !== before.gate) changed.push({ mark, now, before })
      yield
    }
    const isSign = detailAt(scene.view.scale) === 'sign'
    if (isSign && changed.length > marks.length * MANY) {
      yield* drawAllLive(scene, marks)
      return
    }
    for (const { mark, now, before } of changed) {
      keys.set(mark, now)
      if (isSign)
        patchLive(scene, grown({ left: mark.at.x, top: mark.at.y, right: mark.at.x, bottom: mark.at.y }, signReach(scene.view.scale)))
      else {
        if (now.face !== before?.face) patchStill(scene, cardBox(mark))
        if (now.face !== before?.face || now.figures !== before.figures) patchLive(scene, cardBox(mark))
        if (now.gate !== before?.gate) patchLive(scene, gateBox(mark))
      }
      yield
    }
  }

  function patchStill(scene: Scene, box: Box): void {
    const cut = cutOf(scene, box)
    if (cut) within(still, scene, cut, (ctx) => finish(drawStill(ctx, scene, boxOf(scene, cut))))
  }
  function patchLive(scene: Scene, box: Box): void {
    const cut = cutOf(scene, box)
    if (!cut) return
    copy(still, shown, cut)
    within(shown, scene, cut, (ctx) => finish(drawLive(ctx, scene, boxOf(scene, cut))))
  }

  /** The picture that is there, where the view of now has it. */
  function place(): void {
    const now = sceneNow()?.view
    if (drawn && now) canvas.style.transform = transformOf(drawn.scene.view, now)
  }

  function step(): void {
    frame = undefined
    place()
    work ??= nextWork()
    const end = performance.now() + SLICE_MS
    while (work && performance.now() < end) if (work.next().done) work = null
    if (work || isOutdated) wake()
    else if (isStale) waitForValues()
  }
  function nextWork(): Generator<void> | null {
    const now = performance.now()
    if (isOutdated) {
      const scene = sceneNow()
      isOutdated = false
      if (!scene) return null
      ;[isStale, isUrgent, lookedAt] = [false, false, now]
      return drawAll(scene)
    }
    if (!isStale || (!isUrgent && now - lookedAt < VALUES_EVERY_MS)) return null
    ;[isStale, isUrgent, lookedAt] = [false, false, now]
    return drawChanged()
  }
  function wake(): void {
    frame ??= requestAnimationFrame(step)
  }
  function waitForValues(): void {
    if (isUrgent) {
      wake()
      return
    }
    later ??= setTimeout(
      () => {
        later = undefined
        wake()
      },
      Math.max(0, lookedAt + VALUES_EVERY_MS - performance.now()),
    )
  }

  return {
    move(): void {
      isOutdated = true
      wake()
    },
    redraw(): void {
      // What was begun would show what is no more.
      work = null
      isOutdated = true
      wake()
    },
    refresh(soon): void {
      isStale = true
      isUrgent ||= soon
      waitForValues()
    },
    stop(): void {
      if (frame !== undefined) cancelAnimationFrame(frame)
      clearTimeout(later)
    },
  }
}

const wholeOf = (scene: Scene): Cut => ({ x: 0, y: 0, width: widthPx(scene), height: heightPx(scene) })

function finish(drawing: Generator<void>): void {
  while (!drawing.next().done);
}

/** Moves a picture of one view to where another one has what it shows. */
export function transformOf(from: ViewBox, to: ViewBox): string {
  if (from.x === to.x && from.y === to.y && from.scale === to.scale) return 'none'
  return `matrix(${to.scale / from.scale}, 0, 0, ${to.scale / from.scale}, ${(from.x - to.x) * to.scale}, ${(from.y - to.y) * to.scale})`
}
