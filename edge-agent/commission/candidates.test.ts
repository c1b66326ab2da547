import { expect, test } from 'vitest'
import { candidatesOf, pointLine, rankNear } from './candidates.ts'

const METRES = [0x44_83, 0x8b_d7] // 1052.37 as float32, ABCD

test('the words of 1052.37 are that number in one order only, and each order is tried', () => {
  const floats = candidatesOf(METRES, 10, 'holding').filter((c) => c.type === 'float32')
  expect(floats.map((c) => c.order)).toEqual(['ABCD', 'CDAB', 'BADC', 'DCBA'])
  expect(floats.map((c) => Math.abs(c.raw - 1052.37) < 0.001)).toEqual([true, false, false, false])
})

test('a level of 1.234 m that a device gives with its low word first is found by what the staff gauge shows', () => {
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, 1.234)
  const words = [7, view.getUint16(2), view.getUint16(0), 0]
  const [best] = rankNear(candidatesOf(words, 0, 'holding'), 1.24, 0.02)
  expect(best).toMatchObject({ address: 1, type: 'float32', order: 'CDAB', scale: 1 })
  expect(best && pointLine({ ...best, space: 'input' })).toBe(
    '- { metric: level_up, space: input, address: 1, type: float32, order: CDAB }',
  )
})

test('a level in millimetres in one register is found, with its scale', () => {
  const [best] = rankNear(candidatesOf([0, 1234, 0], 0x64, 'holding'), 1.23, 0.02)
  expect(best).toMatchObject({ address: 0x65, scale: 0.001 })
  expect(best?.type).toMatch(/^u?int16$/)
})

test('nothing near the staff gauge is said to be nothing', () => {
  expect(rankNear(candidatesOf([0, 0, 0xffff], 0, 'holding'), 1.5, 0.02)).toEqual([])
})

test('what could be a level or an opening is marked, and a tiny float is not', () => {
  const words = [1500, 0, 1]
  const found = candidatesOf(words, 0, 'holding')
  expect(found.find((c) => c.address === 0 && c.type === 'uint16')?.plausible.map((p) => [p.quantity, p.scale])).toEqual([
    ['level', 0.001],
    ['opening', 0.001],
    ['flow', 0.001],
  ])
  expect(found.find((c) => c.address === 1 && c.type === 'float32' && c.order === 'ABCD')?.plausible).toEqual([])
})
