import { type Box, boxAround, grown, indexBoxes } from './boxes.ts'
import { CARD, type CanalLine, type Layout, type Mark } from './layout.ts'

export const BAY = { width: 7, height: 18 } as const
const MOST_BAYS = 70
const MOST_BAYS_ON_A_STUB = 24
/** What stands beside a canal: ticks and their hours. */
const BESIDE_LINE = 90
/** Of the largest letter of a canal's name. */
export const MOST_NAME = 26
const CARD_EDGE = 2
/** The levels before and behind a gate. */
export const BESIDE_GATE = 7

export const gateWidth = ({ across, structure }: Mark): number => {
  const bays = Math.min(BAY.width, MOST_BAYS / structure.leaves) * structure.leaves
  return across ? bays : Math.min(bays, MOST_BAYS_ON_A_STUB)
}
export const cardBox = ({ card }: Mark): Box =>
  grown({ left: card.x, top: card.y, right: card.x + CARD.width, bottom: card.y + CARD.height }, CARD_EDGE)
export const gateBox = (mark: Mark): Box => {
  const half = gateWidth(mark) / 2 + BESIDE_GATE
  const { x, y } = mark.at
  return grown({ left: x - half, top: y - BAY.height / 2, right: x + half, bottom: y + BAY.height / 2 }, 1)
}
/** From a gate to figures that do not stand beside it. */
export const hasLeader = ({ across, card, at }: Mark): boolean => across && Math.abs(card.y + CARD.height / 2 - at.y) > 4

/** Where everything of a layout lies: reckoned once, so that a part of the drawing can be drawn without the rest. */
export type Plan = {
  readonly layout: Layout
  readonly linesIn: (box: Box) => number[]
  readonly leadersIn: (box: Box) => number[]
  readonly cardsIn: (box: Box) => number[]
  readonly gatesIn: (box: Box) => number[]
}

export function planOf(layout: Layout): Plan {
  const leaders = layout.marks.flatMap((mark, i) => (hasLeader(mark) ? [i] : []))
  const leaderIn = indexBoxes(leaders.map((i) => leaderBox(layout.marks[i])))
  return {
    layout,
    linesIn: indexBoxes(layout.lines.map(lineBox)),
    leadersIn: (box) => leaderIn(box).map((n) => leaders[n] ?? 0),
    cardsIn: indexBoxes(layout.marks.map(cardBox)),
    gatesIn: indexBoxes(layout.marks.map(gateBox)),
  }
}

function lineBox(line: CanalLine): Box {
  if (line.kind === 'stub') return grown(boxAround(line.points), 4)
  const { label, canal } = line
  const letters = Math.max(canal.name.zh.length, canal.name.en.length)
  const name = [
    { x: label.x, y: label.y - MOST_NAME },
    { x: label.x + letters * MOST_NAME, y: label.y + MOST_NAME },
  ]
  return boxAround([...name, ...corners(grown(boxAround(line.points), BESIDE_LINE))])
}
function leaderBox(mark: Mark | undefined): Box {
  return mark ? boxAround([mark.at, ...corners(cardBox(mark))]) : { left: 0, top: 0, right: 0, bottom: 0 }
}
const corners = ({ left, top, right, bottom }: Box) => [
  { x: left, y: top },
  { x: right, y: bottom },
]
