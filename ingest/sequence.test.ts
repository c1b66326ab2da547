import { expect, test } from 'vitest'
import { Sequence } from './sequence.ts'

test('a number passed over is noticed, and forgiven when its message comes after all', () => {
  const s = new Sequence()
  s.birth('n', 254)
  expect(s.next('n', 255)).toBe(false)
  expect(s.next('n', 2)).toBe(true)
  expect(s.complete('n')).toBe(false)
  expect([s.next('n', 1), s.next('n', 0)]).toEqual([false, false])
  expect(s.complete('n')).toBe(true)
  expect(s.next('n', 3)).toBe(false)
})

test('a birth starts the row anew, and a node never heard of starts anywhere', () => {
  const s = new Sequence()
  expect(s.next('n', 77)).toBe(false)
  expect(s.next('n', 80)).toBe(true)
  s.birth('n', 0)
  expect(s.complete('n')).toBe(true)
  expect(s.next('n', 1)).toBe(false)
})
