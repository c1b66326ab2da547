import { join } from 'node:path'
import { expect, test } from 'vitest'
import { metres, unixMs } from '#contract/units.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { gateFlow } from '#hydraulics/sluice-gate.ts'
import { demandShare, seasonShare, shiftIntoSeason, waterDay } from './calendar.ts'
import { CanalModel } from './model.ts'
import { networkOf } from './network.ts'
import { decideOpening } from './operator.ts'

const district = await loadDistrict(join(import.meta.dirname, '..', '..', 'districts', 'hetao'))
const start = unixMs(Date.UTC(2025, 9, 10))
const open = (seed = 1, at = start) => new CanalModel({ district, seed, start: at, calendarShiftMs: 0 })
const hours = (n: number) => unixMs(start + n * 3_600_000)

test('each structure of the canals draws from one pool and feeds one, and no canal is left out', () => {
  const { pools, above, below } = networkOf(district)
  const inline = district.structures.filter((s) => s.canal !== 'huanghe' && s.canal !== 'zongpaigan')
  for (const s of inline) expect(above.has(s.id) || below.has(s.id), s.id).toBe(true)
  for (const p of pools) {
    expect(p.areaM2, p.id).toBeGreaterThan(0)
    expect(p.delayS, p.id).toBeGreaterThan(600)
  }
  expect(above.get('yj-yj-01')?.id).toBe('zg-zg-03>zg-zg-04')
})

test('water is neither made nor lost in four days of gates that move', () => {
  const model = open()
  model.advance(hours(24 * 4))
  const { inflow, outflow, stored } = model.balance()
  expect(inflow).toBeGreaterThan(4e7)
  expect(Math.abs(inflow - outflow - stored) / inflow).toBeLessThan(1e-9)
})

test('the same seed and commands give the same water, another seed another', () => {
  const [a, b, c] = [open(), open(), open(2)]
  for (const m of [a, b, c]) m.advance(hours(12))
  expect(a.water('yj-yj-01', hours(12))).toEqual(b.water('yj-yj-01', hours(12)))
  expect(a.water('yj-yj-01', hours(12))).not.toEqual(c.water('yj-yj-01', hours(12)))
})

test('levels stay within the banks and the keepers do not hunt', () => {
  const model = open()
  let moves = 0
  const before = new Map<string, number>()
  for (let minute = 0; minute < 24 * 60; minute += 5) {
    const t = unixMs(start + minute * 60_000)
    for (const s of district.structures) {
      const { up, down } = model.water(s.id, t)
      expect(up, s.id).toBeGreaterThanOrEqual(0)
      expect(up, s.id).toBeLessThan((s.design_level_up_m - s.sill_m) * 1.3 + 0.5)
      expect(down, s.id).toBeGreaterThanOrEqual(0)
      const to = model.motions(s.id, t)[0]?.to_mm ?? 0
      if (before.has(s.id) && before.get(s.id) !== to) moves++
      before.set(s.id, to)
    }
  }
  expect(moves / district.structures.length).toBeLessThan(30)
})

test('a gate that passes a fifth of what is wanted is raised, however little it is open: none is stuck when a canal fills again', () => {
  for (let opening_mm = 8; opening_mm <= 200; opening_mm++) {
    const water = { width: metres(3), opening: metres(opening_mm / 1000), up: metres(2), down: metres(1) }
    const under = gateFlow(water)
    const flow = under.regime === 'bad' ? Number.NaN : 2 * under.flow
    const seen = { opening_mm, flow, wanted: 5 * flow, up: 2, down: 1, leaves: 2, width_m: 3, height_mm: 2000 }
    // Less than that is not worth a start.
    if (seen.wanted > 0.005 * seen.width_m) expect(decideOpening(seen), `${opening_mm} mm`).toBeGreaterThan(opening_mm)
  }
})

test('a wave from the head gate reaches the first check after the delay of the pool, not before', () => {
  const [moved, still] = [open(), open()]
  const t = hours(6)
  for (const m of [moved, still]) m.advance(t)
  const leaves = moved.motions('zg-zg-01', t).length
  for (let leaf = 0; leaf < leaves; leaf++) {
    const motion = moved.motions('zg-zg-01', t)[leaf]
    if (motion) moved.command('zg-zg-01', leaf, { ...motion, from_mm: motion.to_mm, to_mm: 0, start: t })
  }
  const at = (minutes: number) => unixMs(t + minutes * 60_000)
  const differenceAt = (minutes: number): number => still.water('zg-zg-03', at(minutes)).up - moved.water('zg-zg-03', at(minutes)).up
  expect(Math.abs(differenceAt(60))).toBeLessThan(0.01)
  expect(differenceAt(8 * 60)).toBeGreaterThan(0.1)
})

test('canals are closed in winter, and a demo in winter is moved into the season', () => {
  const winter = Date.UTC(2026, 0, 15)
  expect(seasonShare(waterDay(winter))).toBe(0)
  expect(demandShare('yongji', 1, winter)).toBe(0)
  const shift = shiftIntoSeason(winter)
  expect(Number.isInteger(shift / 86_400_000)).toBe(true)
  expect(shift).toBeLessThan(0)
  expect(seasonShare(waterDay(winter + shift))).toBeGreaterThan(0.4)
  expect(shiftIntoSeason(Date.UTC(2025, 9, 20))).toBe(0)
})

test('silt and ice raise the water below the gates that feed the canal, so that these pass less, and no water is lost for it', () => {
  const HEAD = 'yj-yj-01'
  const t = hours(24)
  const passed = (bed: { silt_m: number; ice_m: number }) => {
    const model = open()
    model.lay((canal) => (canal === 'yongji' ? bed : { silt_m: 0, ice_m: 0 }))
    // The keepers would open further: what is compared is what the same openings pass.
    for (const [leaf, motion] of model.motions(HEAD, start).entries()) model.command(HEAD, leaf, { ...motion, to_mm: motion.from_mm })
    model.advance(t)
    const { inflow, outflow, stored } = model.balance()
    expect(Math.abs(inflow - outflow - stored) / inflow).toBeLessThan(1e-9)
    return { flow: model.flow(HEAD, t), down: model.water(HEAD, t).down }
  }
  const [clean, silted, iced] = [passed({ silt_m: 0, ice_m: 0 }), passed({ silt_m: 0.4, ice_m: 0 }), passed({ silt_m: 0, ice_m: 0.3 })]
  for (const worse of [silted, iced]) {
    expect(worse.down - clean.down).toBeGreaterThan(0.05)
    expect(worse.flow / clean.flow).toBeLessThan(0.99)
  }
})
