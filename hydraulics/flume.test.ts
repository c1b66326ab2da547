import fc from 'fast-check'
import { expect, test } from 'vitest'
import { metres } from '#contract/units.ts'
import type { Discharge } from './discharge.ts'
import { PARSHALL_SIZES, type ParshallThroat, parshallDischarge } from './flume.ts'

const FOOT_M = 0.3048
const flowOf = (result: Discharge): number => {
  if (result.quality === 'bad') throw new Error(result.detail)
  return result.flow
}
const throats = Object.keys(PARSHALL_SIZES) as ParshallThroat[]

test.each([
  { throat: '1ft', ha: 1, cfs: 4, m3s: 0.11327 },
  { throat: '2ft', ha: 1.5, cfs: 14.996, m3s: 0.42464 },
  { throat: '4ft', ha: 1.5, cfs: 30.337, m3s: 0.859 },
  { throat: '8ft', ha: 2, cfs: 97.447, m3s: 2.7594 },
] as const)('a flume of $throat with Ha $ha ft passes $cfs ft³/s (ASTM D1941 form)', ({ throat, ha, cfs, m3s }) => {
  const flow = flowOf(parshallDischarge({ throat, up: metres(ha * FOOT_M) }))
  expect(flow / FOOT_M ** 3).toBeCloseTo(cfs, 3)
  expect(flow).toBeCloseTo(m3s, 4)
})

test('a flume of 0.61 m with 0.66 m of head passes 0.75 m³/s (Merkley, lecture 2) and is free up to 66 % of submergence', () => {
  const flume = { throat: '2ft', up: metres(0.66) } as const
  expect(flowOf(parshallDischarge(flume))).toBeCloseTo(0.75, 3)
  expect(flowOf(parshallDischarge(flume))).toBeCloseTo(1.429 * 0.66 ** 1.55, 3)
  expect(parshallDischarge({ ...flume, down: metres(0.66 * 0.655) })).toMatchObject({ regime: 'free', flags: [] })
  expect(parshallDischarge({ ...flume, down: metres(0.66 * 0.665) })).toMatchObject({ regime: 'submerged', flags: ['out_of_method_range'] })
})

test('the formula of each size reaches the flows of its calibration at heads that the flume holds', () => {
  for (const throat of throats) {
    const { c, n, cfs } = PARSHALL_SIZES[throat]
    const [lowest, highest] = cfs.map((q) => (q / c) ** (1 / n) * FOOT_M)
    expect(lowest, throat).toBeGreaterThan(0.01)
    expect(highest, throat).toBeLessThan(1.9)
  }
})

test('a flume submerged beyond 90 % has no number', () => {
  expect(parshallDischarge({ throat: '2ft', up: metres(0.5), down: metres(0.46) })).toMatchObject({
    quality: 'bad',
    reason: 'out_of_range',
  })
})

test('more head is more discharge in every size, and a wider throat passes more', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.05, max: 1.5, noNaN: true }), (up) => {
      const flows = throats.map((throat) => flowOf(parshallDischarge({ throat, up: metres(up) })))
      for (const [i, throat] of throats.entries()) {
        expect(flowOf(parshallDischarge({ throat, up: metres(up * 1.01) }))).toBeGreaterThan(flows[i] ?? Number.NaN)
      }
      expect(flows.toSorted((a, b) => a - b)).toEqual(flows)
    }),
  )
})

test('an empty flume passes nothing, and a head that is not a number is bad and never 0', () => {
  expect(parshallDischarge({ throat: '2ft', up: metres(-0.1) })).toMatchObject({ regime: 'no-flow', flow: 0 })
  expect(parshallDischarge({ throat: '2ft', up: metres(Number.NaN) })).toMatchObject({ quality: 'bad', reason: 'not_a_number' })
})
