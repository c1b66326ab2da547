import { expect, test } from 'vitest'
import { sharesOf } from './figures.ts'

const TEN = 600_000

test('each area has a bar for every ten minutes, quiet ones too, and the one with floods stands first', () => {
  const rows = sharesOf({
    from: 10 * TEN + 1000,
    to: 14 * TEN,
    ten_minutes: [
      { from: 11 * TEN, area: 'yongji', raised: 9, flood: false },
      { from: 12 * TEN, area: 'yongji', raised: 8, flood: false },
      { from: 12 * TEN, area: null, raised: 11, flood: true },
    ],
  })
  expect(rows.map((r) => [r.area, r.bars.map((b) => b.raised), r.total, r.floods, r.most])).toEqual([
    [null, [0, 0, 11, 0], 11, 1, 11],
    ['yongji', [0, 9, 8, 0], 17, 0, 9],
  ])
})
