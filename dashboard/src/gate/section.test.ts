import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bad, good, stale } from '#contract/reading.ts'
import { leafReadings } from '../situation/openings.ts'
import { layOutSection, type SectionInput } from './section.ts'

const structure = {
  leaves: 3,
  leaf_height_m: 3,
  sill_m: 1040,
  datum_m: 1040,
  design_level_up_m: 1042.5,
  design_level_down_m: 1042,
}
const input = (change: Partial<SectionInput> = {}): SectionInput => ({
  structure,
  up: { value: 2.4, stale: false },
  down: { value: 1.2, stale: true },
  leaves: leafReadings(3, (metric) => ({ opening: good(0), opening_2: stale(1), opening_3: bad('timeout') })[metric]),
  ...change,
})

test('the higher water stands higher in the drawing, and its elevation is datum plus level', () => {
  const { up, down } = layOutSection(input())
  expect(up.elevation).toBeCloseTo(1042.4)
  expect(down).toMatchObject({ stale: true })
  expect(up.y ?? 0).toBeLessThan(down.y ?? 0)
})

test('a closed leaf stands on the sill, an open one above it, one that is not known is not drawn', () => {
  const { bays, sill } = layOutSection(input())
  expect(bays[0]?.gate?.bottom).toBeCloseTo(sill)
  expect(bays[1]?.gate?.bottom ?? 0).toBeLessThan(sill - 10)
  expect(bays[1]?.stale).toBe(true)
  expect(bays[2]?.gate).toBeNull()
})

test('a level that is not known draws no water', () => {
  expect(layOutSection(input({ up: null })).up).toMatchObject({ y: null, elevation: null })
})

test('whatever is measured, nothing is drawn outside the picture and no bay over another', () => {
  const number = fc.double({ min: -5, max: 40, noNaN: true })
  fc.assert(
    fc.property(number, number, fc.array(number, { minLength: 1, maxLength: 20 }), (up, down, openings) => {
      const section = layOutSection({
        structure: { ...structure, leaves: openings.length },
        up: { value: up, stale: false },
        down: { value: down, stale: false },
        leaves: openings.map((opening, i) => ({ leaf: i + 1, reading: good(opening) })),
      })
      const heights = [
        section.sill,
        section.up.y,
        section.down.y,
        section.up.designY,
        ...section.bays.flatMap((b) => [b.gate?.top, b.gate?.bottom]),
      ]
      for (const y of heights) {
        expect(y).toBeGreaterThanOrEqual(0)
        expect(y).toBeLessThanOrEqual(section.height)
      }
      for (const [i, bay] of section.bays.entries()) {
        const before = section.bays[i - 1]
        expect(bay.x).toBeGreaterThanOrEqual(before ? before.x + before.width : section.baysFrom)
        expect(bay.x + bay.width).toBeLessThanOrEqual(section.baysTo)
      }
    }),
  )
})
