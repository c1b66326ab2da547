import { describe, expect, test } from 'vitest'
import type { Reading } from '#contract/reading.ts'
import { loadDistrict } from '#districts/load-district.ts'
import type { Condition } from '../situation/condition.ts'
import { type Box, indexBoxes, overlap } from './boxes.ts'
import { layOutSchematic } from './layout.ts'
import { detailAt, keysOf, type Marked } from './look.ts'
import { transformOf } from './painter.ts'
import { planOf } from './plan.ts'
import { acrossCanal } from './travel.ts'
import { keepTravels } from './travels.ts'

const hetao = await loadDistrict(new URL('../../../districts/hetao', import.meta.url).pathname)
const layout = layOutSchematic(hetao.canals, hetao.structures)
const box = (left: number, top: number, right: number, bottom: number): Box => ({ left, top, right, bottom })

test('a part of the drawing is found with all that reaches into it, whatever its size', () => {
  const boxes = Array.from({ length: 200 }, (_, i) => {
    const [x, y] = [((i * 977) % 5000) - 2000, ((i * 1511) % 4000) - 1000]
    return box(x, y, x + (i % 7) * 150 + 1, y + (i % 5) * 200 + 1)
  })
  const find = indexBoxes(boxes)
  for (const within of [
    box(-100, -100, 100, 100),
    box(0, 0, 3, 3),
    box(255, 255, 257, 257),
    box(-5000, -5000, 9000, 9000),
    box(9000, 0, 9001, 1),
  ]) {
    expect(find(within)).toEqual([...boxes.keys()].filter((i) => boxes[i] && overlap(boxes[i], within)))
  }
})

test('a canal is found where its name stands, and a gate where its levels do', () => {
  const plan = planOf(layout)
  for (const [i, { label, kind }] of layout.lines.entries())
    if (kind !== 'stub') expect(plan.linesIn(box(label.x, label.y - 1, label.x + 40, label.y))).toContain(i)
  for (const [i, { at }] of layout.marks.entries()) expect(plan.gatesIn(box(at.x, at.y, at.x + 1, at.y + 1))).toContain(i)
})

describe('a gate is drawn anew', () => {
  const mark = layout.marks[0]
  if (!mark) throw new Error('Hetao has no gates')
  const good = (value: number): Reading => ({ quality: 'good', value })
  const marked = (of: { condition?: Condition; flow?: Reading; opening?: number } = {}): Marked => ({
    gate: {
      ...{ condition: of.condition ?? 'normal', up: good(1.5), down: good(1), flow: of.flow ?? good(4), moving: false },
      leaves: [{ leaf: 1, reading: good(of.opening ?? 0.5) }],
    },
    ...{ condition: of.condition ?? 'normal', tag: null, alarm: null, selected: false },
  })
  const at = (scale: number, what: Marked) => keysOf(mark, what, { detail: detailAt(scale), pxPerUnit: scale })
  test('where what is seen of it differs, and only there', () => {
    expect(at(1, marked({ flow: good(4.001) }))).toEqual(at(1, marked()))
    expect(at(1, marked({ flow: good(4.01) }))).toEqual({ ...at(1, marked()), figures: expect.stringContaining('4.01') })
    expect(at(1, marked({ opening: 0.501 }))).toEqual(at(1, marked()))
    const opened = at(1, marked({ opening: 1.5 }))
    expect(opened.gate).not.toBe(at(1, marked()).gate)
    expect(opened).toMatchObject({ face: at(1, marked()).face, figures: at(1, marked()).figures })
  })
  test('when a value has become old: it stands in brackets', () => {
    expect(at(1, marked({ flow: { quality: 'stale', value: 4 } })).figures).toContain('(4.00 m³/s)')
    expect(at(0.5, marked({ flow: { quality: 'stale', value: 4 } })).figures).toBe('(4.00 m³/s)')
  })
  test('whenever its condition or its worst alarm turns, however small it is drawn', () => {
    const alarmed = (priority: 'high' | 'critical'): Marked => ({ ...marked(), alarm: { priority, what: '超警戒水位' } })
    for (const scale of [0.05, 0.5, 1, 4]) {
      expect(at(scale, marked({ condition: 'fault' })).face).not.toBe(at(scale, marked()).face)
      expect(at(scale, alarmed('high')).face).not.toBe(at(scale, marked()).face)
      expect(at(scale, alarmed('critical')).face).not.toBe(at(scale, alarmed('high')).face)
    }
  })
})

test('what is drawn is moved to where the new view has it', () => {
  const drawn = { x: 100, y: 50, scale: 0.5 }
  expect(transformOf(drawn, drawn)).toBe('none')
  // The corner of the drawn picture, 100|50, lies 40 px to the left and 20 px above the new corner.
  expect(transformOf(drawn, { x: 140, y: 70, scale: 1 })).toBe('matrix(2, 0, 0, 2, -40, -20)')
})

test('the hours along a canal are told anew when they would be drawn otherwise', () => {
  const main = acrossCanal(hetao.structures.filter((s) => s.canal === 'zonggan' && s.type !== 'tail'))
  let share = 1
  const travels = keepTravels(new Map([['zonggan', main]]), (id) => (main.find((s) => s.id === id)?.design_flow_m3s ?? 0) * share)
  const first = travels.of('zonggan')
  expect(first?.ticks.length).toBeGreaterThan(2)
  expect(travels.renew(['zonggan'])).toBe(false)
  share = 0.5
  expect(travels.of('zonggan')).toEqual(first)
  expect(travels.renew(['zonggan'])).toBe(true)
  expect(travels.of('zonggan')?.frontHours).toBeGreaterThan(first?.frontHours ?? 0)
  expect(travels.of('nowhere')).toBeNull()
})
