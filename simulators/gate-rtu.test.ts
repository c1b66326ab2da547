import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseConfig } from '#contract/config.ts'
import { DeviceProfile } from '#contract/profile.ts'
import { unixMs } from '#contract/units.ts'
import { loadDistrict } from '#districts/load-district.ts'
import { cabinetAt } from './cabinet.ts'
import { GateRtu } from './gate-rtu.ts'
import { ModbusException } from './modbus-exception.ts'
import { waterAt } from './swinging-water.ts'

const root = join(import.meta.dirname, '..')
const file = join(root, 'edge-agent', 'profiles', 'sluice-gate-rtu.yaml')
const profile = parseConfig(DeviceProfile, { text: await readFile(file, 'utf8'), file })
const { structures } = await loadDistrict(join(root, 'districts', 'hetao'))

const t0 = 1_750_000_000_000
/** Moments that lie all over a week. */
const moments = Array.from({ length: 100 }, (_, i) => unixMs(t0 + i * 6_007_000))

function float(words: readonly number[], at: number): number {
  const view = new DataView(new ArrayBuffer(4))
  view.setUint16(0, words[at] ?? 0)
  view.setUint16(2, words[at + 1] ?? 0)
  return view.getFloat32(0)
}
const structure = (id: string) => {
  const found = structures.find((s) => s.id === id)
  if (!found) throw new Error(id)
  return found
}

test('at every structure of Hetao the water falls from up to down and stays near its design level', () => {
  for (const s of structures) {
    const depth = s.design_level_up_m - s.sill_m
    const fall = s.design_level_up_m - s.design_level_down_m
    for (const t of moments) {
      const { up, down } = waterAt(s, 1, t)
      expect((up - down) / fall, s.id).toBeGreaterThan(0.5)
      expect((up - down) / fall, s.id).toBeLessThan(1.5)
      expect(Math.abs(up - depth) / depth, s.id).toBeLessThan(0.06)
    }
  }
})

test('every structure of Hetao passes between 0.3 and 0.9 of its design flow, and not always the same', () => {
  for (const s of structures) {
    const rtu = new GateRtu({ structure: s, profile, seed: 1 })
    const shares = moments.map((t) => float(rtu.read(t).holding, 4) / s.design_flow_m3s)
    expect(Math.min(...shares), s.id).toBeGreaterThan(0.3)
    expect(Math.max(...shares), s.id).toBeLessThan(0.9)
    expect(new Set(shares).size, s.id).toBeGreaterThan(50)
  }
})

test('levels and flow are new each second, and the same again for the same seed and time', () => {
  const read = (seed: number, t: number) => new GateRtu({ structure: structure('yc-zh-03'), profile, seed }).read(unixMs(t)).holding
  for (let s = 0; s < 60; s++) expect(read(1, t0 + s * 1000).slice(0, 6)).not.toEqual(read(1, t0 + (s + 1) * 1000).slice(0, 6))
  expect(read(1, t0)).toEqual(read(1, t0))
  expect(read(1, t0).slice(0, 6)).not.toEqual(read(2, t0).slice(0, 6))
})

test('the cabinet is a 12 V one with a day, a radio and a door that is opened at times', () => {
  const minutes = Array.from({ length: 14 * 24 * 60 }, (_, i) => cabinetAt('yc-zh-03', 1, unixMs(t0 + i * 60_000)))
  const volts = minutes.map((c) => c.battery)
  expect(Math.min(...volts)).toBeGreaterThan(11.8)
  expect(Math.max(...volts)).toBeLessThan(13.2)
  expect(Math.max(...volts) - Math.min(...volts)).toBeGreaterThan(0.5)
  for (const { rssi } of minutes) expect(rssi >= -90 && rssi <= -60 && Number.isInteger(rssi)).toBe(true)
  const open = minutes.filter((c) => c.door).length
  expect(open).toBeGreaterThan(0)
  expect(open).toBeLessThan(minutes.length / 20)
})

test('mains are lost somewhere in the district now and then, and the fault register tells', () => {
  const cabinets = structures.flatMap((s) => Array.from({ length: 7 * 24 * 4 }, (_, i) => cabinetAt(s.id, 1, unixMs(t0 + i * 900_000))))
  const lost = cabinets.filter((c) => c.fault === 1).length
  expect(lost).toBeGreaterThan(0)
  expect(lost).toBeLessThan(cabinets.length / 500)
})

test('closing every leaf ends the flow; what was not commanded keeps to its schedule', () => {
  const s = structure('yc-zh-03')
  const [rtu, untouched] = [new GateRtu({ structure: s, profile, seed: 1 }), new GateRtu({ structure: s, profile, seed: 1 })]
  expect(rtu.read(unixMs(t0)).holding[9]).toBe(2)
  rtu.write(110, [0, 2, 1], unixMs(t0))
  const soon = rtu.read(unixMs(t0 + 1000)).holding
  expect([soon[8], soon[9], soon[101]]).toEqual([0b10, 1, 0b101])
  const later = unixMs(t0 + 3_600_000)
  expect(rtu.read(later).holding[100]).toBe(0)
  expect(rtu.read(later).holding[120]).toBe(untouched.read(later).holding[120])
  expect(float(rtu.read(later).holding, 4)).toBeLessThan(float(untouched.read(later).holding, 4))
  rtu.write(130, [0, 2, 1], later)
  expect(float(rtu.read(unixMs(later + 3_600_000)).holding, 4)).toBe(0)
})

test('only command registers of leaves that exist can be written, and only with commands that exist; else nothing changes', () => {
  const rtu = new GateRtu({ structure: structure('yc-zh-03'), profile, seed: 1 }) // two leaves
  const before = rtu.read(unixMs(t0))
  const refusal = (address: number, words: number[]): unknown => {
    try {
      rtu.write(address, words, unixMs(t0))
    } catch (error) {
      if (error instanceof ModbusException) return error.code
      throw error
    }
    return 'taken'
  }
  expect([refusal(0, [1]), refusal(100, [1]), refusal(99, [1]), refusal(150, [1]), refusal(110, [500, 4, 1, 0])]).toEqual([2, 2, 2, 2, 2])
  expect(refusal(110, [500, 9, 1])).toBe(3)
  expect(rtu.read(unixMs(t0))).toEqual(before)
})
