import { expect, test } from 'vitest'
import { bad, good } from '#contract/reading.ts'
import { Haste } from './haste.ts'

test('a bus is read fast while a leaf moves and for a while after it, and no other bus is', () => {
  let now = 0
  const haste = new Haste([], () => now)
  const read = (opening: number, moving: number): void =>
    haste.watch(
      'left',
      's',
      new Map([
        ['opening', good(opening)],
        ['moving', good(moving)],
      ]),
    )
  read(1, 0)
  expect(haste.isOn('left')).toBe(false)
  read(1, 1)
  expect([haste.isOn('left'), haste.isOn('right')]).toEqual([true, false])
  now = 31_000
  expect(haste.isOn('left')).toBe(false)
  read(1.002, 0)
  expect(haste.isOn('left')).toBe(false)
  read(1.004, 0)
  expect(haste.isOn('left')).toBe(true)
})

test('a level near an alarm limit or beyond it is read fast, one that can’t be read is not', () => {
  const haste = new Haste([{ structure: 's', metric: 'level_up', low: 0.5, high: 2, near: 0.1 }], () => 0)
  const isFast = (structure: string, level: Parameters<typeof good>[0] | null): boolean => {
    const bus = `${structure} ${level}`
    haste.watch(bus, structure, new Map([['level_up', level === null ? bad('timeout') : good(level)]]))
    return haste.isOn(bus)
  }
  expect([0.4, 0.6, 0.7, 1.8, 1.95, 2.5].map((level) => isFast('s', level))).toEqual([true, true, false, false, true, true])
  expect([isFast('s', null), isFast('other', 2.5)]).toEqual([false, false])
})
