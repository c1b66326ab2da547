/** The schematic's painter alone in Chromium, over Hetao: what it has drawn gate by gate is what it draws from nothing. */
import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { loadDistrict } from '#districts/load-district.ts'
import { openBrowser } from '../support/browser.ts'
import { root } from '../support/program.ts'

/** Edges are smoothed by the px on which drawing is cut: of 255 steps, more than an eye tells apart. */
const SMOOTHED = 20
/** Where several smoothed edges lie over one another their steps add up: of 960,000 px so many may; one sign that is missing is fifty. */
const ADDED_UP = 5

/** Runs in the page; `hetao` is there. */
const PAGE = `
import { layOutSchematic } from './dashboard/src/schematic/layout.ts'
import { startPainter } from './dashboard/src/schematic/painter.ts'
import { planOf } from './dashboard/src/schematic/plan.ts'
import { pale } from './dashboard/src/schematic/palette.ts'

const CONDITIONS = ['fault', 'offline', 'bad', 'stale', 'no_data', 'normal']
const colours = { surface: '#fff', ground: '#e4e8ea', line: '#ccd', strong: '#788', text: '#123', muted: '#567', dim: '#899', water: '#a9c1d0',
  waterLine: '#4f7c9b', leaf: '#345', concrete: '#bbb', focus: '#05a', warnGround: '#fe8', warnText: '#640', font: 'sans-serif' }
const palette = { ...colours, condition: { fault: '#b00', offline: '#807', bad: '#c30', stale: '#850', no_data: '#777', normal: '#788' } }
let seed = 1
const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647
const reading = () => (random() < 0.1 ? { quality: 'bad', reason: 'timeout' } : { quality: random() < 0.2 ? 'stale' : 'good', value: random() * 3 })
const plan = planOf(layOutSchematic(hetao.canals, hetao.structures))
const gates = new Map()
const tags = new Map()
const alarms = new Map()
const PRIORITIES = ['critical', 'high', 'medium', 'low']
let selected = null
function change(id, leaves) {
  const condition = random() < 0.5 ? 'normal' : CONDITIONS[Math.floor(random() * 6)]
  gates.set(id, { condition, up: reading(), down: reading(), flow: reading(), moving: random() < 0.2,
    leaves: Array.from({ length: leaves }, (_, i) => ({ leaf: i + 1, reading: reading() })) })
  alarms.set(id, random() < 0.3 ? { priority: PRIORITIES[Math.floor(random() * 4)], what: '超警戒水位' } : null)
  tags.set(id, random() < 0.1 ? 'until 18:00' : null)
}
const all = hetao.structures
for (const s of all) change(s.id, s.leaves)
const words = { structure: (m) => m.structure.name.zh, canal: (l) => l.canal.name.zh, condition: (c) => c, up: '上', down: '下', moving: '…', hours: (h) => h + ' h' }

const rested = () => new Promise((done) => setTimeout(done, 900))
/** @returns how many pixels differ, and how many were drawn by the changes */
globalThis.compare = async ({ scale, isPale }) => {
  const screen = { width: 1200, height: 800 }
  const view = { x: scale < 0.3 ? 0 : 700, y: 60, scale }
  const travel = { ticks: [3, 6, 9].map((hours) => ({ hours, km: hours * 5 })), frontHours: 9, establishedHours: 12 }
  const scene = () => ({ plan, view, screen, pixelRatio: 1, palette, ink: isPale ? pale(palette) : palette, words, gateOf: (id) => gates.get(id),
    conditionOf: (id) => gates.get(id).condition, travelOf: () => travel, alarmOf: (id) => alarms.get(id), tagOf: (id) => tags.get(id), selected: () => selected })
  const pixels = (canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
  const differ = (a, b) => { let n = 0; for (let i = 0; i < a.length; i += 4) if ([0, 1, 2].some((k) => Math.abs(a[i + k] - b[i + k]) > ${SMOOTHED})) n++; return n }
  const first = document.createElement('canvas')
  const painter = startPainter(first, scene)
  painter.redraw()
  await rested()
  const before = pixels(first)
  for (let round = 0; round < 2; round++) {
    for (const s of all) if (random() < 0.3) change(s.id, s.leaves)
    selected = all[Math.floor(random() * all.length)].id
    painter.refresh(round === 0)
    await rested()
  }
  painter.stop()
  const second = document.createElement('canvas')
  const anew = startPainter(second, scene)
  anew.redraw()
  await rested()
  anew.stop()
  return { apart: differ(pixels(first), pixels(second)), drawn: differ(before, pixels(second)) }
}
`

test('gates that were drawn anew one by one look as if all had been drawn at once: as signs, with a few figures, with all of them, and pale', async () => {
  const { outputFiles } = await build({
    stdin: { contents: PAGE, resolveDir: root, loader: 'ts' },
    ...{ bundle: true, write: false, format: 'iife', tsconfig: join(root, 'dashboard/tsconfig.json') },
  })
  const browser = await openBrowser()
  try {
    const page = await browser.newPage()
    const failures: string[] = []
    page.on('pageerror', (error) => failures.push(error.message))
    const { canals, structures } = await loadDistrict(join(root, 'districts/hetao'))
    await page.evaluate(`globalThis.hetao = ${JSON.stringify({ canals, structures })}`)
    await page.addScriptTag({ content: outputFiles[0]?.text ?? '' })
    for (const [scale, isPale] of [
      [0.2, false],
      [0.5, false],
      [1, false],
      [1.37, true],
    ]) {
      const { apart, drawn } = (await page.evaluate(`compare(${JSON.stringify({ scale, isPale })})`)) as { apart: number; drawn: number }
      expect(drawn, `nothing changed at scale ${scale}`).toBeGreaterThan(100)
      expect(apart, `at scale ${scale}`).toBeLessThanOrEqual(ADDED_UP)
    }
    expect(failures).toEqual([])
  } finally {
    await browser.close()
  }
})
