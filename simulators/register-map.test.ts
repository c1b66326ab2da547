import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseConfig } from '#contract/config.ts'
import { DeviceProfile, type WordOrder } from '#contract/profile.ts'
import { profileOf } from '#test/support/profile.ts'
import { imageOf, refuseCoils, wordsOf } from './register-map.ts'

const file = join(import.meta.dirname, '..', 'edge-agent', 'profiles', 'sluice-gate-rtu.yaml')
const profile = parseConfig(DeviceProfile, { text: await readFile(file, 'utf8'), file, code: 'PROFILE_INVALID' })

const hex = (words: readonly number[]): string => words.map((w) => w.toString(16).padStart(4, '0')).join('')
const float = (order: WordOrder) => ({ type: 'float32', order, scale: 1, offset: 0 }) as const

test('1052.37 m is served in each of the four word orders', () => {
  expect(hex(wordsOf(float('ABCD'), 1052.37))).toBe('44838bd7')
  expect(hex(wordsOf(float('CDAB'), 1052.37))).toBe('8bd74483')
  expect(hex(wordsOf(float('BADC'), 1052.37))).toBe('8344d78b')
  expect(hex(wordsOf(float('DCBA'), 1052.37))).toBe('d78b8344')
})

test('an integer is scaled back to its register, in two’s complement, and held at the ends of its type', () => {
  const point = (type: 'int16' | 'uint16' | 'int32' | 'uint32', scale = 1) => ({ type, order: 'ABCD', scale, offset: 0 }) as const
  expect(wordsOf(point('uint16', 0.01), 12.63)).toEqual([1263])
  expect(wordsOf(point('int16'), -75)).toEqual([65_461])
  expect(wordsOf(point('uint16'), 70_000)).toEqual([65_535])
  expect(wordsOf(point('uint16'), -1)).toEqual([0])
  expect(wordsOf(point('int32'), -2)).toEqual([0xffff, 0xfffe])
  expect(wordsOf(point('uint32'), 0x0001_0002)).toEqual([1, 2])
})

test('the image of the gate RTU is the map that its file documents', () => {
  const image = imageOf(profile, {
    values: { level_up: 2.5, level_down: 1.25, flow: 33, battery: 12.63, rssi: -75, door: 1, moving: 1, mode: 2, fault: 0x0001_0002 },
    leaves: [
      { values: { opening: 0.812 }, words: { 1: 3, 10: 900, 11: 4, 12: 17 } },
      { values: { opening: 1.2 }, words: {} },
    ],
  })
  expect(image.input).toEqual([])
  expect(image.holding).toHaveLength(140)
  expect(image.holding.slice(0, 13)).toEqual([0x4020, 0, 0x3fa0, 0, 0x4204, 0, 1263, 65_461, 0b11, 2, 0x0002, 0x0001, 0])
  expect(image.holding.slice(100, 113)).toEqual([812, 3, 0, 0, 0, 0, 0, 0, 0, 0, 900, 4, 17])
  expect(image.holding[120]).toBe(1200)
})

test('every leaf of a structure has its own block, and nothing lies beyond the last', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 99 }), (openings) => {
      const image = imageOf(profile, { values: {}, leaves: openings.map((mm) => ({ values: { opening: mm / 1000 }, words: {} })) })
      expect(openings.map((_, i) => image.holding[100 + 20 * i])).toEqual(openings)
      expect(image.holding).toHaveLength(100 + 20 * openings.length)
    }),
  )
})

test('a level that can’t be computed is served as NaN, never as 0', () => {
  const image = imageOf(profile, { values: {}, leaves: [] })
  const view = new DataView(new ArrayBuffer(4))
  view.setUint16(0, image.holding[0] ?? 0)
  view.setUint16(2, image.holding[1] ?? 0)
  expect(view.getFloat32(0)).toBeNaN()
})

test('input registers are a space of their own', () => {
  const flow = { metric: 'flow', space: 'input', address: 3, type: 'int16', order: 'ABCD', scale: 1, offset: 0 } as const
  const meter = profileOf({ name: 'meter', points: [flow] })
  expect(imageOf(meter, { values: { flow: 7 }, leaves: [] })).toEqual({ holding: [], input: [0, 0, 0, 7] })
})

test('a profile of coils is refused by name', () => {
  const door = { metric: 'door', space: 'coil', address: 3, type: 'bit', order: 'ABCD', scale: 1, offset: 0 } as const
  const relay = profileOf({ name: 'relay', points: [door] })
  expect(() => refuseCoils(relay)).toThrow('profile relay reads door as coil')
  expect(() => refuseCoils(profile)).not.toThrow()
})
