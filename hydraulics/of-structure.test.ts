import { expect, test } from 'vitest'
import type { Structure } from '#contract/district.ts'
import { defaultFlowMethod, type FlowFormula, type FlowMethod } from '#contract/flow-method.ts'
import { metres, unixMs } from '#contract/units.ts'
import { hydraulicsOf } from './of-structure.ts'
import { structureFlow } from './structure-flow.ts'

const gate = { id: 'g', leaves: 7, leaf_width_m: 10, sill_m: 1040.6, datum_m: 1040 } as Structure
const by = (formula: FlowFormula, change: Partial<FlowMethod> = {}): FlowMethod => ({
  ...defaultFlowMethod('g'),
  formula,
  source: 'published',
  ...change,
})
const flowOf = (method: FlowMethod, up: number, down: number, opening = 1.2) => {
  const result = structureFlow(hydraulicsOf(gate, method), {
    at: unixMs(1),
    up: metres(up),
    down: metres(down),
    openings: Array(7).fill(metres(opening)),
  })
  return result.quality === 'good' ? result : undefined
}

test('levels are taken above the datum and depths above the sill: seven leaves of 10 m, 1.2 m open under 4.0 m with 3.2 m below pass 272.60 m³/s', () => {
  const found = flowOf(defaultFlowMethod('g'), 4.6, 3.8)
  expect(found?.flow).toBeCloseTo(272.6, 1)
  expect([found?.method, found?.coefficientSource]).toEqual(['swamee', 'published'])
  expect(flowOf(by({ kind: 'sluice', method: 'energy-momentum' }), 4.6, 3.8)?.flow).toBeCloseTo(264.14, 1)
})

test('a calibrated factor and its uncertainty are used, and say that they are calibrated', () => {
  const found = flowOf(by({ kind: 'sluice', method: 'swamee' }, { factor: 0.95, uncertainty: 0.04 }), 4.6, 3.8)
  expect(found?.flow).toBeCloseTo(272.6 * 0.95, 1)
  expect(found?.coefficientSource).toBe('calibrated')
})

test('weirs, flumes, channels and curves are read from the registry as from the formulas', () => {
  const sill = { sill_m: 1040 }
  expect(flowOf(by({ kind: 'broad-crested', width_m: 5 }, sill), 0.6, 0)?.flow).toBeCloseTo(3.962, 2)
  expect(flowOf(by({ kind: 'sharp-crested', width_m: 2, crest_height_m: 1 }, sill), 0.3, -1)?.flow).toBeCloseTo(0.612, 3)
  expect(flowOf(by({ kind: 'parshall', throat: '2ft' }, sill), 0.66, 0)?.flow).toBeCloseTo(0.75, 1)
  const channel = by({ kind: 'channel', bed_width_m: 4, side_slope: 0, slope: 0.001, roughness: 0.014 }, sill)
  expect(flowOf(channel, 1.4796, 0)?.flow).toBeCloseTo(12, 1)
  expect(() => hydraulicsOf(gate, by({ kind: 'parshall', throat: '7 inches' }))).toThrow(RangeError)
})
