import { type Box, grown } from './boxes.ts'
import { drawCanals } from './draw-canals.ts'
import { drawFace, drawFigures } from './draw-card.ts'
import { drawGate, drawLeader, drawSign, signSize } from './draw-gate.ts'
import type { Mark } from './layout.ts'
import { detailAt, gateLook, type Keys, keysOf, type Marked } from './look.ts'
import { pxPerUnit, type Scene } from './scene.ts'

/** The drawing in two layers, each drawn box by box: the whole screen when the view has changed, a gate's own when that has. */
type Drawing = Generator<void>

/** What seldom changes: canals, their names, and the ground and names of the gates' figures. */
export function* drawStill(ctx: CanvasRenderingContext2D, scene: Scene, box: Box): Drawing {
  const { plan, palette, ink, view } = scene
  ctx.fillStyle = palette.surface
  ctx.fillRect(box.left, box.top, box.right - box.left, box.bottom - box.top)
  yield* drawCanals(ctx, scene, box)
  if (detailAt(view.scale) === 'sign') return
  for (const mark of marksOf(scene, plan.leadersIn(box))) {
    drawLeader(ctx, ink, mark)
    yield
  }
  for (const mark of marksOf(scene, plan.cardsIn(box))) {
    drawFace(ctx, scene, { mark, ...markedOf(scene, mark) })
    yield
  }
}

/** What changes with the values, over it: gates and figures; where there is no room for them signs, those that tell of trouble above all others. */
export function* drawLive(ctx: CanvasRenderingContext2D, scene: Scene, box: Box): Drawing {
  const { plan, palette, ink, view } = scene
  if (detailAt(view.scale) === 'sign') {
    const troubled: Mark[] = []
    const sign = (mark: Mark): void => {
      const { id } = mark.structure
      const [condition, tagged, alarm] = [scene.conditionOf(id), scene.tagOf(id) !== null, scene.alarmOf(id)]
      drawSign(ctx, palette, { mark, condition, tagged, alarm: alarm?.priority ?? null, scale: view.scale })
    }
    for (const mark of marksOf(scene, plan.gatesIn(grown(box, signReach(view.scale))))) {
      const { id } = mark.structure
      if (scene.conditionOf(id) !== 'normal' || scene.tagOf(id) !== null || scene.alarmOf(id) !== null) troubled.push(mark)
      else {
        sign(mark)
        yield
      }
    }
    for (const mark of troubled) {
      sign(mark)
      yield
    }
    return
  }
  for (const mark of marksOf(scene, plan.gatesIn(box))) {
    drawGate(ctx, ink, { mark, look: gateLook(mark, scene.gateOf(mark.structure.id), pxPerUnit(scene)) })
    yield
  }
  for (const mark of marksOf(scene, plan.cardsIn(box))) {
    drawFigures(ctx, scene, { mark, gate: scene.gateOf(mark.structure.id) })
    yield
  }
}

/** How far a sign and its tag reach from their gate. */
export const signReach = (scale: number): number => 1.5 * signSize(scale)

const marksOf = ({ plan }: Scene, places: readonly number[]): Mark[] => places.flatMap((i) => plan.layout.marks[i] ?? [])

function markedOf(scene: Scene, { structure }: Mark): Marked {
  const gate = detailAt(scene.view.scale) === 'sign' ? undefined : scene.gateOf(structure.id)
  return {
    gate,
    condition: scene.conditionOf(structure.id),
    tag: scene.tagOf(structure.id),
    alarm: scene.alarmOf(structure.id),
    selected: scene.selected() === structure.id,
  }
}

export const keysNow = (scene: Scene, mark: Mark): Keys =>
  keysOf(mark, markedOf(scene, mark), { detail: detailAt(scene.view.scale), pxPerUnit: pxPerUnit(scene) })
