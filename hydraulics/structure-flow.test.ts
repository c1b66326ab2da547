import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cubicMetresPerSecond, metres, unixMs } from '#contract/units.ts'
import { PARSHALL_SIZES, type ParshallThroat } from './flume.ts'
import { type Observation, type StructureFlow, type StructureHydraulics, structureFlow } from './structure-flow.ts'

type Good = Extract<StructureFlow, { quality: 'good' }>
const goodOf = (result: StructureFlow): Good => {
  if (result.quality === 'bad') throw new Error(result.detail)
  return result
}
const sluice = (widths: number[], rest: Partial<StructureHydraulics> = {}): StructureHydraulics =>
  ({ kind: 'sluice', sill: metres(0), leaves: widths.map((width) => ({ width: metres(width) })), ...rest }) as StructureHydraulics
const seen = (up: number, down: number, ...openings: number[]): Observation => ({
  at: unixMs(0),
  up: metres(up),
  down: metres(down),
  openings: openings.map(metres),
})

test('seven bays of 10 m, 1.2 m open, pass 272.60 m³/s after Swamee (the default) and 264.14 by energy and momentum', () => {
  const at = seen(4, 3.2, ...Array<number>(7).fill(1.2))
  const widths = Array<number>(7).fill(10)
  const result = goodOf(structureFlow(sluice(widths), at))
  expect(result).toMatchObject({ method: 'swamee', regime: 'submerged', coefficientSource: 'published', flags: [] })
  expect(result.flow).toBeCloseTo(272.6, 1)
  const other = goodOf(structureFlow(sluice(widths, { method: 'energy-momentum' } as Partial<StructureHydraulics>), at))
  expect(other.method).toBe('energy-momentum')
  expect(other.flow).toBeCloseTo(264.14, 2)
})

test('leaves are summed one by one: two unequal openings are not two of the mean', () => {
  const pair = sluice([4, 4])
  const unequal = goodOf(structureFlow(pair, seen(2, 1.2, 0.2, 1.2)))
  const single = (opening: number): number => goodOf(structureFlow(sluice([4]), seen(2, 1.2, opening))).flow
  expect(unequal.flow).toBeCloseTo(single(0.2) + single(1.2), 9)
  expect(unequal.leaves.map((l) => l.flow)).toEqual([single(0.2), single(1.2)])
  expect(Math.abs(goodOf(structureFlow(pair, seen(2, 1.2, 0.7, 0.7))).flow / unequal.flow - 1)).toBeGreaterThan(0.01)
  expect(goodOf(structureFlow(pair, seen(2, 1.1, 0.2, 2.5))).regime).toBe('mixed')
})

test('levels count from the datum, depths from the sill', () => {
  const raised = goodOf(structureFlow(sluice([4], { sill: metres(1.3) }), seen(3.3, 2.8, 0.5)))
  expect(raised.flow).toBeCloseTo(4.798358, 5)
})

test('a fall of less than 5 cm is flagged, and its ±1 cm of level shows in the uncertainty', () => {
  const exact = { calibration: { factor: 1, uncertainty: 0 } }
  const at = (down: number) => goodOf(structureFlow(sluice([4], exact), seen(2, down, 0.5)))
  expect(at(1.94).flags).toEqual([])
  expect(at(1.96).flags).toEqual(['low_differential_head'])
  expect(at(1.99).relativeUncertainty).toBeGreaterThan(0.5)
  expect(at(1.5).relativeUncertainty).toBeLessThan(0.04)
  expect(goodOf(structureFlow(sluice([4]), seen(2, 1.98, 0))).flags).toEqual([])
})

test('with the water higher below, an open gate passes 0, flagged, with what may run back as its uncertainty', () => {
  const result = goodOf(structureFlow(sluice([4]), seen(1.5, 2, 0.5)))
  expect(result).toMatchObject({ flow: 0, regime: 'reversed', flags: ['reversed'], relativeUncertainty: null })
  expect(result.uncertainty).toBeGreaterThanOrEqual(4.798)
  expect(goodOf(structureFlow(sluice([4]), seen(1.5, 2, 0)))).toMatchObject({ flow: 0, regime: 'no-flow', flags: [] })
})

test('a leaf clear of the water passes what the open bay passes', () => {
  const result = goodOf(structureFlow(sluice([4]), seen(2, 1, 2.2)))
  expect(result).toMatchObject({ regime: 'weir', flags: [] })
  expect(result.flow).toBeCloseTo(4 * 1.7049 * 2 ** 1.5, 2)
})

test('a calibration replaces the published uncertainty, but not where the method itself does not hold', () => {
  const calibration = { factor: 0.93, uncertainty: 0.04 }
  const plain = goodOf(structureFlow(sluice([4]), seen(2, 1, 0.5)))
  const fitted = goodOf(structureFlow(sluice([4], { calibration }), seen(2, 1, 0.5)))
  expect(fitted.flow).toBeCloseTo(plain.flow * 0.93, 9)
  expect(fitted.coefficientSource).toBe('calibrated')
  expect(fitted.relativeUncertainty ?? 1).toBeLessThan((plain.relativeUncertainty ?? 0) / 2)
  expect(goodOf(structureFlow(sluice([4], { calibration }), seen(2, 0.2, 1.6))).relativeUncertainty).toBeGreaterThanOrEqual(0.15)
})

test('what could not be taken, is no number or is impossible makes the discharge bad with its reason and place, never 0', () => {
  const two = sluice([4, 4])
  const cases: [Observation, string, string][] = [
    [{ ...seen(2, 1, 0.5, 0.5), up: null }, 'no_value', 'level_up could not be taken'],
    [{ at: unixMs(0), up: metres(2), openings: [metres(1), metres(1)] }, 'no_value', 'level_down could not be taken'],
    [{ ...seen(2, 1), openings: [metres(0.5), null] }, 'no_value', 'opening of leaf 2 could not be taken'],
    [seen(2, 1, 0.5), 'no_value', '2 leaves, but 1 openings'],
    [seen(Number.NaN, 1, 0.5, 0.5), 'not_a_number', 'level_up is NaN'],
    [seen(2, Number.POSITIVE_INFINITY, 0.5, 0.5), 'not_a_number', 'level_down is Infinity'],
    [seen(2, 1, 0.5, 65.535), 'out_of_range', 'opening of leaf 2 is 65.535 m'],
    [seen(99, 1, 0.5, 0.5), 'out_of_range', 'level_up is 99 m'],
  ]
  for (const [observed, reason, detail] of cases) expect(structureFlow(two, observed)).toEqual({ quality: 'bad', reason, detail })
  expect(structureFlow(sluice([4, 0]), seen(2, 1, 0.5, 0.5)).quality).toBe('bad')
  expect(structureFlow(sluice([]), seen(2, 1)).quality).toBe('bad')
  expect(structureFlow(sluice([4], { sill: metres(Number.NaN) }), seen(2, 1, 0.5)).quality).toBe('bad')
  expect(structureFlow(sluice([4], { calibration: { factor: 0, uncertainty: 0 } }), seen(2, 1, 0.5)).quality).toBe('bad')
})

test('each kind of structure is found by its own method', () => {
  const one = (structure: StructureHydraulics, observed: Observation): [string, number, string] => {
    const { method, flow, regime } = goodOf(structureFlow(structure, observed))
    return [method, Number(flow.toFixed(4)), regime]
  }
  const sill = metres(0)
  const only = (up: number): Observation => ({ at: unixMs(0), up: metres(up) })
  const radial: StructureHydraulics = { kind: 'radial', sill, leaves: [{ width: metres(5), trunnionHeight: metres(3) }] }
  expect(one(radial, seen(2.5, 0, 0.8))).toEqual(['radial', 27.7782, 'free'])
  expect(one({ kind: 'broad-crested', sill, width: metres(5) }, only(0.6))).toEqual(['broad-crested', 3.9618, 'free'])
  expect(one({ kind: 'sharp-crested', sill, width: metres(2), crestHeight: metres(1) }, only(0.3))).toEqual([
    'sharp-crested',
    0.612,
    'free',
  ])
  expect(one({ kind: 'v-notch', sill }, only(0.2))).toEqual(['v-notch', 0.0247, 'free'])
  expect(one({ kind: 'parshall', sill, throat: '1ft' }, only(0.3048))).toEqual(['parshall', 0.1133, 'free'])
  const channel = { bedWidth: metres(4), sideSlope: 0, slope: 0.001, roughness: 0.014 }
  expect(one({ kind: 'channel', sill, channel }, only(1.4796))).toEqual(['manning', expect.closeTo(12, 2), 'uniform'])
})

test('a rated section names the curve and the shift that it was read with', () => {
  const points = [
    { level: metres(1), flow: cubicMetresPerSecond(0) },
    { level: metres(2), flow: cubicMetresPerSecond(10) },
  ]
  const curves = [
    { name: 'K3', from: unixMs(0), to: null, shape: { kind: 'table', points }, shifts: [{ from: unixMs(5), shift: metres(0.1) }] },
  ] as const
  const result = goodOf(structureFlow({ kind: 'rated', sill: metres(0.7), curves }, { at: unixMs(9), up: metres(1.4) }))
  expect(result).toMatchObject({ method: 'rating-curve', regime: 'rated', rating: { curve: 'K3', shift: 0.1 } })
  expect(result.flow).toBeCloseTo(5, 9)
  expect(result.relativeUncertainty).toBeCloseTo(Math.hypot(0.1, 0.1 / 5), 6)
})

const anything = fc.oneof(
  fc.double({ min: -6, max: 45, noNaN: true }),
  fc.double({ min: 0, max: 3, noNaN: true }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1e308, -1e308, 5e-324),
)
const width = fc.oneof(fc.double({ min: 0.2, max: 30, noNaN: true }), fc.constantFrom(0, -1, Number.NaN, 1e308)).map(metres)
const structure: fc.Arbitrary<StructureHydraulics> = fc
  .oneof(
    fc.record({
      kind: fc.constant('sluice' as const),
      method: fc.constantFrom('swamee' as const, 'energy-momentum' as const),
      leaves: fc.array(fc.record({ width }), { maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('radial' as const), leaves: fc.array(fc.record({ width, trunnionHeight: width }), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('broad-crested' as const), width, crestLength: width }),
    fc.record({ kind: fc.constant('sharp-crested' as const), width, crestHeight: width }),
    fc.record({ kind: fc.constant('v-notch' as const) }),
    fc.record({ kind: fc.constant('parshall' as const), throat: fc.constantFrom(...(Object.keys(PARSHALL_SIZES) as ParshallThroat[])) }),
    fc.record({
      kind: fc.constant('channel' as const),
      channel: fc.record({ bedWidth: width, sideSlope: anything, slope: anything, roughness: anything }),
    }),
  )
  .chain((geometry) => anything.map((sill) => ({ ...geometry, sill: metres(Math.abs(sill) > 3 ? 0.5 : sill) })))

test('whatever is put in, a discharge is finite and not negative with a finite uncertainty, or bad with a reason', () => {
  let signed = 0
  fc.assert(
    fc.property(
      structure,
      anything,
      fc.option(anything),
      fc.array(fc.option(anything), { minLength: 3, maxLength: 3 }),
      (s, up, down, openings) => {
        const leaves = s.kind === 'sluice' || s.kind === 'radial' ? s.leaves.length : 0
        const result = structureFlow(s, {
          at: unixMs(0),
          up: metres(up),
          down: down === null ? null : metres(down),
          openings: openings.slice(0, leaves).map((o) => (o === null ? null : metres(o))),
        })
        if (result.quality === 'bad') {
          expect(result.detail).not.toBe('')
          return
        }
        signed += 1
        expect(result.flow).toBeGreaterThanOrEqual(0)
        for (const n of [result.flow, result.uncertainty, result.relativeUncertainty ?? 0]) expect(Number.isFinite(n)).toBe(true)
        if ([up, ...(down === null ? [] : [down])].some((n) => !Number.isFinite(n)) && s.kind !== 'channel')
          throw new Error('signed nonsense')
      },
    ),
    { numRuns: 5000 },
  )
  expect(signed).toBeGreaterThan(300)
})

test('by the default method neither water nor leaf makes the discharge jump', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.3, max: 6, noNaN: true }),
      fc.double({ min: 0.05, max: 1.2, noNaN: true }),
      fc.double({ min: -0.2, max: 0.95, noNaN: true }),
      fc.constantFrom('up' as const, 'down' as const, 'opening' as const),
      (up, ratio, tail, moved) => {
        const at = { up, down: tail * up, opening: ratio * up }
        const flow = (state: typeof at): number => goodOf(structureFlow(sluice([3]), seen(state.up, state.down, state.opening))).flow
        const step = 1e-6 * up
        const [before, after] = [flow(at), flow({ ...at, [moved]: at[moved] + step })]
        // Swamee's own two branches differ by up to 0.4 % where they meet.
        expect(Math.abs(after - before)).toBeLessThan(0.005 * Math.max(before, after) + 1e-3)
      },
    ),
    { numRuns: 2000 },
  )
})
