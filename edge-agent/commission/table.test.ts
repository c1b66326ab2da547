import { expect, test } from 'vitest'
import { byteCount, duration, table, wrap } from './table.ts'

const COLUMNS = [{ title: 'metric' }, { title: 'value', align: 'right' as const }, { title: 'quality' }]
const ROWS = [
  ['level_up', '1.234 m', 'good'],
  ['flow', '', 'bad: exception_illegal_address'],
]

test('on a wide terminal the columns stand side by side', () => {
  expect(table(COLUMNS, ROWS, 80)).toEqual([
    'metric      value  quality',
    'level_up  1.234 m  good',
    'flow               bad: exception_illegal_address',
  ])
})

test('on a phone each row is a block, and no line is wider than the screen', () => {
  const lines = table(COLUMNS, ROWS, 40)
  expect(lines).toEqual([
    'level_up',
    '  value    1.234 m',
    '  quality  good',
    'flow',
    '  quality  bad:',
    '           exception_illegal_address',
  ])
  expect(lines.every((l) => l.length <= 40)).toBe(true)
})

test('a word longer than the line is broken', () => {
  expect(wrap('see /dev/serial/by-id/usb-FTDI_FT232R', 20)).toEqual(['see', '/dev/serial/by-id/us', 'b-FTDI_FT232R'])
})

test('times and sizes are said in units that a person uses', () => {
  expect([duration(125_000), duration(90_000_000), duration(400)]).toEqual(['2 min 5 s', '1 d 1 h', '0 s'])
  expect([byteCount(999), byteCount(12_300), byteCount(5_600_000)]).toEqual(['999 B', '12.3 kB', '5.60 MB'])
})
