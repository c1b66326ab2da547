import { beforeAll, describe, expect, test } from 'vitest'
import type { District } from '#contract/district.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { CARD, type Layout, layOutSchematic, type Mark, pointAt, shortName } from './layout.ts'
import { networkOf } from './network.ts'
import { layOutProfile } from './profile.ts'
import { spread } from './spread.ts'
import { acrossCanal, canalTravel, estimateChannel } from './travel.ts'
import { wholeIn, zoomAt } from './view-box.ts'

let hetao: District
let layout: Layout
beforeAll(async () => {
  hetao = await loadDistrict(new URL('../../../districts/hetao', import.meta.url).pathname)
  layout = layOutSchematic(hetao.canals, hetao.structures)
})
const markOf = (id: string): Mark => {
  const mark = layout.marks.find((m) => m.structure.id === id)
  if (!mark) throw new Error(`${id} is not drawn`)
  return mark
}

describe('the schematic of Hetao', () => {
  test('shows every structure once, and no figures of two gates overlap', () => {
    expect(layout.marks.map((m) => m.structure.id).sort()).toEqual(hetao.structures.map((s) => s.id).sort())
    for (const [i, a] of layout.marks.entries()) {
      for (const b of layout.marks.slice(i + 1)) {
        const apart = Math.abs(a.card.x - b.card.x) >= CARD.width || Math.abs(a.card.y - b.card.y) >= CARD.height
        expect(apart, `${a.structure.id} and ${b.structure.id}`).toBe(true)
      }
    }
    for (const { card } of layout.marks) {
      expect(card.x).toBeGreaterThanOrEqual(0)
      expect(card.x + CARD.width).toBeLessThanOrEqual(layout.width)
      expect(card.y + CARD.height).toBeLessThanOrEqual(layout.height)
    }
  })
  test('keeps the checks of the main canal and of a trunk canal to scale along the chainage', () => {
    const main = layout.lines.find((l) => l.canal.id === 'zonggan')
    const checks = hetao.structures.filter((s) => s.canal === 'zonggan' && s.type === 'regulator')
    expect(checks).toHaveLength(4)
    for (const check of checks) expect(markOf(check.id).at).toEqual(main && pointAt(main, check.chainage_km))
    const yongji = acrossCanal(hetao.structures.filter((s) => s.canal === 'yongji')).map((s) => markOf(s.id).at)
    expect(new Set(yongji.map((p) => p.x)).size).toBe(1)
    const [head, first, second] = yongji.map((p) => p.y)
    expect(((second ?? 0) - (head ?? 0)) / ((first ?? 0) - (head ?? 0))).toBeCloseTo(30.63 / 14.82, 5)
  })
  test('lets trunk canals leave the main canal where they do, in the order of the water', () => {
    const trunks = layout.lines.filter((l) => l.kind === 'trunk' && l.canal.parent === 'zonggan')
    expect(trunks).toHaveLength(12)
    const main = layout.lines.find((l) => l.canal.id === 'zonggan')
    for (const trunk of trunks) expect(trunk.points[0]).toEqual(main && pointAt(main, trunk.canal.parent_chainage_km ?? Number.NaN))
  })
})

test('a canal whose parent is missing or leads back to itself is drawn as a root, once', () => {
  const canal = (id: string, parent: string | null) => ({
    id,
    name: { zh: id, en: id },
    area: 'a',
    parent,
    parent_chainage_km: null,
    length_km: 1,
    design_flow_m3s: 1,
  })
  const roots = networkOf([canal('a', 'b'), canal('b', 'a'), canal('c', 'gone'), canal('d', 'c')], [])
  expect(roots.map((r) => r.canal.id).sort()).toEqual(['a', 'b', 'c'])
})

test('marks that would overlap move apart around where they belong; the others stay', () => {
  expect(spread([0, 100, 104, 300], { gap: 20 })).toEqual([0, 92, 112, 300])
  expect(spread([0, 0, 0], { gap: 10, least: 0 })).toEqual([0, 10, 20])
  expect(spread([], { gap: 10 })).toEqual([])
})

test('a name stands without the canal’s, which is written beside it', () => {
  const zh = { locale: 'zh', headOfStub: false } as const
  const canal = { zh: '沈乌干渠(一干渠)', en: 'Shenwu Main Canal' }
  const name = { zh: '沈乌干渠第一节制闸', en: 'Shenwu Main Canal check structure 1' }
  expect(shortName(name, canal, zh)).toBe('第一节制闸')
  expect(shortName(name, canal, { ...zh, locale: 'en' })).toBe('Check structure 1')
  expect(shortName({ zh: '总干渠第二节制闸(二闸)', en: '' }, { zh: '总干渠', en: '' }, zh)).toBe('二闸 第二节制闸')
  expect(shortName({ zh: '三盛公拦河闸', en: 'x' }, { zh: '黄河干流', en: 'y' }, zh)).toBe('三盛公拦河闸')
  expect(shortName({ zh: '清惠分干渠进水闸', en: '' }, { zh: '清惠分干渠', en: '' }, { ...zh, headOfStub: true })).toBe('清惠分干渠')
})

describe('travel time', () => {
  test('of a change from the head to gate 4 at design flows is 6 h for the front and half a day or more until it is established', () => {
    const main = acrossCanal(hetao.structures.filter((s) => s.canal === 'zonggan' && s.type !== 'tail'))
    const design = new Map(main.map((s) => [s.id, s.design_flow_m3s]))
    const travel = canalTravel(main, (id) => design.get(id) ?? null)
    expect(travel?.frontHours).toBeGreaterThan(4)
    expect(travel?.frontHours).toBeLessThan(9)
    expect(travel?.establishedHours).toBeGreaterThan(12)
    expect(travel?.establishedHours).toBeLessThan(30)
    const kms = travel?.ticks.map((t) => t.km) ?? []
    expect(kms).toEqual(kms.toSorted((a, b) => a - b))
  })
  test('is not shown where a reach’s flow is unknown or nothing flows', () => {
    const main = acrossCanal(hetao.structures.filter((s) => s.canal === 'zonggan'))
    expect(canalTravel(main, () => null)).toBeNull()
    expect(canalTravel(main, () => 0)).toBeNull()
    expect(estimateChannel(main.slice(0, 1))).toBeNull()
  })
})

test('zooming keeps what is under the pointer, and the whole drawing fits', () => {
  const view = { x: 100, y: 50, scale: 0.5 }
  const nearer = zoomAt(view, { x: 300, y: 200 }, 2)
  expect(nearer.scale).toBe(1)
  expect(nearer.x + 300 / nearer.scale).toBe(view.x + 300 / view.scale)
  expect(wholeIn({ width: 1000, height: 500 }, { width: 500, height: 500 })).toEqual({ scale: 0.5, x: 0, y: -250 })
})

describe('the longitudinal profile', () => {
  const box = { left: 0, right: 1000, top: 0, bottom: 500 }
  test('of the main canal falls with the water, with every gate at its chainage', () => {
    const main = acrossCanal(hetao.structures.filter((s) => s.canal === 'zonggan'))
    const profile = layOutProfile(
      main.map((structure) => ({
        structure,
        up: structure.design_level_up_m - structure.datum_m,
        down: structure.design_level_down_m - structure.datum_m,
      })),
      box,
    )
    expect(profile.gates[2]?.x).toBeCloseTo((62 / 180.85) * 1000, 5)
    expect(profile.water).toHaveLength(main.length - 1)
    for (const { from, to } of profile.water) expect(to[1]).toBeGreaterThan(from[1])
    for (const gate of profile.gates) expect(gate.upY).toBeCloseTo(gate.designUpY, 5)
  })
  test('draws no water where a level is unknown', () => {
    const main = acrossCanal(hetao.structures.filter((s) => s.canal === 'zonggan'))
    const profile = layOutProfile(
      main.map((structure, i) => ({ structure, up: i === 1 ? null : 2, down: 1 })),
      box,
    )
    expect(profile.water).toHaveLength(main.length - 2)
    expect(profile.gates[1]?.upY).toBeNull()
  })
})
