import fc from 'fast-check'
import { expect, test } from 'vitest'
import { metres } from '#contract/units.ts'
import type { Discharge } from './discharge.ts'
import { broadCrestedDischarge, sharpCrestedDischarge, vNotchDischarge } from './weir.ts'

const flowOf = (result: Discharge): number => {
  if (result.quality === 'bad') throw new Error(result.detail)
  return result.flow
}
type Heads = { up: number; down?: number }
const heads = ({ up, down }: Heads) => ({ up: metres(up), ...(down !== undefined && { down: metres(down) }) })
const broad = (at: Heads) => broadCrestedDischarge({ width: metres(5), ...heads(at) })
const sharp = (at: Heads) => sharpCrestedDischarge({ width: metres(2), crestHeight: metres(1), ...heads(at) })
const notch = (at: Heads) => vNotchDischarge(heads(at))
const kinds = [broad, sharp, notch]

test('a broad crest of 5 m with 0.6 m of head and Cd 1 passes 3.962 m³/s (critical depth on the crest)', () => {
  expect(broad({ up: 0.6 })).toMatchObject({ regime: 'free', flags: [] })
  expect(flowOf(broad({ up: 0.6 }))).toBeCloseTo(3.962, 3)
})

test('a thin plate of 2 m with 0.3 m of head over a crest 1 m high passes 0.6120 m³/s (Rehbock, ISO 1438)', () => {
  expect(flowOf(sharp({ up: 0.3 }))).toBeCloseTo(0.612, 4)
})

test('a 90° notch with 0.2 m of head passes 0.02469 m³/s (ISO 1438, Ce 0.578)', () => {
  expect(flowOf(notch({ up: 0.2 }))).toBeCloseTo(0.02469, 5)
})

test.each([
  [0.82, 1],
  [0.85, 0.95],
  [0.875, 0.925],
  [0.9, 0.9],
  [0.95, 0.8],
  [0.96, 0.6],
  [0.97, 0.4],
  [0.98, 0.3],
  [0.99, 0.2],
  [1, 0],
])('a broad crest submerged to %d passes %d of its free discharge (table of D-Flow FM)', (submergence, share) => {
  expect(flowOf(broad({ up: 1, down: submergence })) / flowOf(broad({ up: 1 }))).toBeCloseTo(share, 9)
})

test('a head outside the range of ISO 3846 or ISO 1438 is flagged', () => {
  const onCrest = (up: number) => broadCrestedDischarge({ width: metres(5), crestLength: metres(3), up: metres(up) })
  expect(onCrest(0.5)).toMatchObject({ flags: [] })
  for (const up of [0.2, 1.1]) expect(onCrest(up)).toMatchObject({ flags: ['out_of_method_range'] })
  for (const up of [0.02, 0.8]) expect(sharp({ up })).toMatchObject({ flags: ['out_of_method_range'] })
  for (const up of [0.04, 0.4]) expect(notch({ up })).toMatchObject({ flags: ['out_of_method_range'] })
})

test('more head is more discharge, more tail water is not, and submergence begins without a jump', () => {
  const head = fc.double({ min: 0.02, max: 3, noNaN: true })
  const share = fc.double({ min: 0, max: 0.999, noNaN: true })
  for (const weir of kinds) {
    fc.assert(
      fc.property(head, share, share, (up, tail, rise) => {
        expect(flowOf(weir({ up: up * 1.01 }))).toBeGreaterThan(flowOf(weir({ up })))
        const down = up * tail
        expect(flowOf(weir({ up, down: down + (up - down) * rise }))).toBeLessThanOrEqual(flowOf(weir({ up, down })) * (1 + 1e-9))
        expect(flowOf(weir({ up, down: 1e-9 * up }))).toBeCloseTo(flowOf(weir({ up })), 6)
      }),
    )
  }
})

test('a dry crest and a level pool pass nothing, and what is not a number is bad and never 0', () => {
  for (const weir of kinds) {
    expect(weir({ up: -0.3 })).toMatchObject({ regime: 'no-flow', flow: 0 })
    expect(weir({ up: 0.3, down: 0.3 })).toMatchObject({ regime: 'no-flow', flow: 0 })
    expect(weir({ up: Number.NaN })).toMatchObject({ quality: 'bad', reason: 'not_a_number' })
    expect(weir({ up: 0.3, down: Number.NaN })).toMatchObject({ quality: 'bad', reason: 'not_a_number' })
  }
})
