import type { Canal } from '#contract/district.ts'
import { type Branch, flattened, networkOf, type Structured } from './network.ts'
import { spread } from './spread.ts'

/** The schematic in its own units (px at scale 1); x to the right, y down. */
export type Layout<S extends Structured = Structured> = {
  readonly width: number
  readonly height: number
  readonly lines: readonly CanalLine[]
  readonly marks: readonly Mark<S>[]
}
export type Point = { readonly x: number; readonly y: number }
export type CanalLine = {
  readonly canal: Canal
  readonly kind: 'river' | 'main' | 'trunk' | 'stub'
  /** From where it leaves its parent to its end. */
  readonly points: readonly Point[]
  /** Where its name stands. */
  readonly label: Point
  /** Chainage 0, the direction of the scale, and px for a kilometre; null where the canal is not drawn to scale. */
  readonly scale: { readonly from: Point; readonly axis: 'x' | 'y'; readonly pxPerKm: number } | null
}
export type Mark<S extends Structured = Structured> = {
  readonly structure: S
  readonly canal: Canal
  /** Of the gate's sign, on its canal. */
  readonly at: Point
  /** Upper left corner of the figures. */
  readonly card: Point
  /** Whether the structure stands across a canal or at the head of one that leaves it. */
  readonly across: boolean
}

export const CARD = { width: 152, height: 54 } as const
const CARD_GAP = 8
const COLUMN = 204
const CARD_BESIDE = 40
const PX_PER_KM_DOWN = 9.5
const LEAST_PX_PER_KM = 8
const MOST_PX_PER_KM = 30
const RIVER_X = 190
const MAIN_Y = 210
const ELBOW = 76
const HEAD_DROP = 40
const MARGIN = 40
const ROW_GAP = 90

export const pointAt = (line: CanalLine, chainageKm: number): Point | null => {
  if (line.scale === null) return null
  const { from, axis, pxPerKm } = line.scale
  return axis === 'x' ? { x: from.x + chainageKm * pxPerKm, y: from.y } : { x: from.x, y: from.y + chainageKm * pxPerKm }
}

/**
 * Lays a district out as its people draw it: the river at the left, each main canal to the right along its chainage, its trunk canals
 * downwards along theirs, and what leaves a trunk canal as a stub at its chainage. Columns and figures are moved apart where they would overlap;
 * the gates' signs stand where they are.
 */
export function layOutSchematic<S extends Structured>(canals: Iterable<Canal>, structures: readonly S[]): Layout<S> {
  const lines: CanalLine[] = []
  const marks: Mark<S>[] = []
  let y = MAIN_Y
  let width = 0
  for (const root of networkOf(canals, structures)) {
    if (root.structures.length === 0 && root.branches.length === 0) continue
    const drawn = isRiver(root) ? layOutRiver(root, y) : layOutMain(root, { x: RIVER_X, y, feeder: null })
    lines.push(...drawn.lines)
    marks.push(...drawn.marks)
    width = Math.max(width, drawn.right)
    y = drawn.bottom + ROW_GAP + CARD.height + MARGIN
  }
  const height = marks.reduce((most, m) => Math.max(most, m.card.y + CARD.height), 0)
  const lowest = lines.reduce((most, l) => l.points.reduce((n, p) => Math.max(n, p.y), most), height)
  return { width: width + MARGIN, height: lowest + MARGIN, lines, marks }
}

type Drawn<S extends Structured> = { lines: CanalLine[]; marks: Mark<S>[]; right: number; bottom: number }

/** A river has no length of its own in the registry and feeds the main canals. */
const isRiver = (branch: Branch): boolean => branch.canal.length_km === null && branch.branches.length > 0
const isTrunk = (branch: Branch): boolean => branch.canal.length_km !== null

function layOutRiver<S extends Structured>(river: Branch<S>, top: number): Drawn<S> {
  const mains = river.branches
    .filter((b) => isTrunk(b))
    .sort((a, b) => b.branches.filter(isTrunk).length - a.branches.filter(isTrunk).length)
  const [first, ...others] = mains
  const lines: CanalLine[] = []
  const marks: Mark<S>[] = []
  let [right, bottom] = [RIVER_X, top]
  // Beside the river, as columns under the largest main canal: the mains that have no trunk canals of their own.
  const columns = first ? others.filter((b) => !b.branches.some(isTrunk)) : []
  const columnsRight = RIVER_X + columns.length * COLUMN
  for (const [i, column] of columns.entries()) {
    const x = RIVER_X + 24 + i * COLUMN
    const drawn = layOutTrunk(column, { x, top: top + ELBOW, from: [{ x: RIVER_X, y: top + ELBOW }] })
    lines.push(...drawn.lines)
    marks.push(...drawn.marks)
    bottom = Math.max(bottom, drawn.bottom)
  }
  for (const main of first ? [first, ...others.filter((b) => !columns.includes(b))] : []) {
    const y = main === first ? top : bottom + ROW_GAP + CARD.height + MARGIN
    const drawn = layOutMain(main, { x: columnsRight + 20, y, feeder: { x: RIVER_X, y } })
    lines.push(...drawn.lines)
    marks.push(...drawn.marks)
    right = Math.max(right, drawn.right)
    bottom = Math.max(bottom, drawn.bottom)
  }
  const stubs = river.branches.filter((b) => !isTrunk(b))
  const own = [...river.structures.map((s) => ({ s, canal: river.canal, across: true })), ...stubs.flatMap((b) => stubStructures(b))]
  const ys = own.map((_, i) => top + i * (CARD.height + 40))
  for (const [i, { s, canal, across }] of own.entries()) {
    const y = ys[i] ?? top
    const x = across ? RIVER_X : RIVER_X - 26
    if (!across)
      lines.push(
        stubLine(canal, [
          { x: RIVER_X, y },
          { x: RIVER_X - 26, y },
        ]),
      )
    marks.push({ structure: s, canal, at: { x, y }, card: { x: MARGIN / 4, y: y - CARD.height / 2 }, across })
  }
  bottom = Math.max(bottom, (ys.at(-1) ?? top) + CARD.height)
  lines.unshift({
    canal: river.canal,
    kind: 'river',
    points: [
      { x: RIVER_X, y: top - 90 },
      { x: RIVER_X, y: bottom },
    ],
    label: { x: RIVER_X - 60, y: top - 74 },
    scale: null,
  })
  return { lines, marks, right, bottom }
}

function layOutMain<S extends Structured>(main: Branch<S>, at: { x: number; y: number; feeder: Point | null }): Drawn<S> {
  const trunks = main.branches.filter(isTrunk)
  const stubs = main.branches.filter((b) => !isTrunk(b))
  const end_km = Math.max(
    main.canal.length_km ?? 0,
    ...main.structures.map((s) => s.chainage_km),
    ...main.branches.map((b) => b.canal.parent_chainage_km ?? 0),
    1,
  )
  const pxPerKm = Math.min(MOST_PX_PER_KM, Math.max(LEAST_PX_PER_KM, (trunks.length * COLUMN) / end_km))
  const xOf = (km: number): number => at.x + km * pxPerKm
  const endX = xOf(main.canal.length_km ?? end_km)
  const lines: CanalLine[] = [
    {
      canal: main.canal,
      kind: 'main',
      points: [at.feeder ?? { x: at.x, y: at.y }, { x: endX, y: at.y }],
      label: { x: at.x + 8, y: at.y + 26 },
      scale: { from: { x: at.x, y: at.y }, axis: 'x', pxPerKm },
    },
  ]
  const marks: Mark<S>[] = []
  const own = [
    ...main.structures.map((s) => ({
      s,
      canal: main.canal,
      km: s.chainage_km,
      across: s.type === 'regulator' || s.type === 'head' || s.type === 'tail',
    })),
    ...stubs.flatMap((b) => stubStructures(b).map((m) => ({ ...m, km: b.canal.parent_chainage_km ?? 0 }))),
  ].sort((a, b) => a.km - b.km)
  const cardXs = spread(
    own.map((m) => xOf(m.km) - CARD.width / 2),
    { gap: CARD.width + CARD_GAP, least: at.x - CARD.width / 2 },
  )
  for (const [i, { s, canal, km, across }] of own.entries()) {
    const cardX = cardXs[i] ?? xOf(km)
    // What leaves the main canal upwards does so under its own figures, so that two at one chainage are told apart.
    const x = across ? xOf(km) : cardX + CARD.width / 2
    const y = across ? at.y : at.y - 40
    if (!across)
      lines.push(
        stubLine(canal, [
          { x: xOf(km), y: at.y },
          { x, y: at.y - 24 },
          { x, y: at.y - 52 },
        ]),
      )
    marks.push({ structure: s, canal, at: { x, y }, card: { x: cardX, y: at.y - 70 - CARD.height }, across })
  }
  const columnXs = spread(
    trunks.map((b) => xOf(b.canal.parent_chainage_km ?? 0)),
    { gap: COLUMN, least: at.x + 16 },
  )
  let bottom = at.y + 40
  for (const [i, trunk] of trunks.entries()) {
    const from = xOf(trunk.canal.parent_chainage_km ?? 0)
    const x = columnXs[i] ?? from
    const drawn = layOutTrunk(trunk, { x, top: at.y + ELBOW, from: [{ x: from, y: at.y }] })
    lines.push(...drawn.lines)
    marks.push(...drawn.marks)
    bottom = Math.max(bottom, drawn.bottom)
  }
  const right = Math.max(endX, ...columnXs.map((x) => x + COLUMN), ...cardXs.map((x) => x + CARD.width))
  return { lines, marks, right, bottom }
}

/** A trunk canal downwards; its gates' figures at its right. */
function layOutTrunk<S extends Structured>(trunk: Branch<S>, at: { x: number; top: number; from: readonly Point[] }): Drawn<S> {
  const zero = at.top + HEAD_DROP
  const yOf = (km: number): number => zero + km * PX_PER_KM_DOWN
  const stubs = trunk.branches.flatMap((b) =>
    flattened(b).flatMap((f) => f.structures.map((s) => ({ s, canal: f.canal, km: b.canal.parent_chainage_km ?? 0, across: false }))),
  )
  const own = [
    ...trunk.structures.map((s) => ({ s, canal: trunk.canal, km: s.chainage_km, across: s.type !== 'spillway' && s.type !== 'offtake' })),
    ...stubs,
  ].sort((a, b) => a.km - b.km)
  const end = yOf(Math.max(trunk.canal.length_km ?? 0, ...own.map((m) => m.km)))
  const lines: CanalLine[] = [
    {
      canal: trunk.canal,
      kind: 'trunk',
      points: [...at.from, { x: at.x, y: at.top }, { x: at.x, y: end }],
      label: { x: at.x + 10, y: at.top + 2 },
      scale: { from: { x: at.x, y: zero }, axis: 'y', pxPerKm: PX_PER_KM_DOWN },
    },
  ]
  const cardYs = spread(
    own.map((m) => yOf(m.km) - CARD.height / 2),
    { gap: CARD.height + CARD_GAP, least: zero - CARD.height / 2 + 6 },
  )
  const marks = own.map(({ s, canal, km, across }, i): Mark<S> => {
    const cardY = cardYs[i] ?? yOf(km)
    const middle = cardY + CARD.height / 2
    const gate = across ? { x: at.x, y: yOf(km) } : { x: at.x + 22, y: middle }
    if (!across)
      lines.push(
        stubLine(canal, [
          { x: at.x, y: yOf(km) },
          { x: at.x + 8, y: middle },
          { x: at.x + CARD_BESIDE - 4, y: middle },
        ]),
      )
    return { structure: s, canal, at: gate, card: { x: at.x + CARD_BESIDE, y: cardY }, across }
  })
  const bottom = Math.max(end, (cardYs.at(-1) ?? end) + CARD.height)
  return { lines, marks, right: at.x + COLUMN, bottom }
}

const stubStructures = <S extends Structured>(branch: Branch<S>): { s: S; canal: Canal; across: boolean }[] =>
  flattened(branch).flatMap((b) => b.structures.map((s) => ({ s, canal: b.canal, across: false })))

const stubLine = (canal: Canal, points: readonly Point[]): CanalLine => ({
  canal,
  kind: 'stub',
  points,
  label: points[0] ?? { x: 0, y: 0 },
  scale: null,
})

/**
 * A structure's name without its canal's, which stands beside it: 第一节制闸. The name by which people call it stands first: 二闸 第二节制闸.
 * For the gate at the head of a stub it is the canal's own name.
 */
export function shortName(
  name: { zh: string; en: string },
  canal: { zh: string; en: string },
  options: { readonly locale: 'zh' | 'en'; readonly headOfStub: boolean },
): string {
  const [own, of] = options.locale === 'zh' ? [name.zh, canal.zh] : [name.en, canal.en]
  const bare = of.replace(/[(（].*$/, '').trim()
  const alias = /^(.*?)\s*[(（](.*闸|Gate .*)[)）]$/.exec(own)
  const full = alias?.[1] ?? own
  const called = alias?.[2] ? `${alias[2]} ` : ''
  if (!full.startsWith(bare)) return called + full
  const rest = full.slice(bare.length).trim()
  if (options.headOfStub || rest === '') return called + bare
  return called + (options.locale === 'zh' ? rest : rest.charAt(0).toUpperCase() + rest.slice(1))
}

/** Whether a mark stands for the canal that it feeds. */
export const isHeadOfStub = ({ across, structure }: Mark): boolean => !across && (structure.type === 'offtake' || structure.type === 'head')
