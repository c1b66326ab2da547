import { expect, test } from 'vitest'
import { findTargets } from './find.ts'

const targets = [
  { key: 'a', words: '总干渠第二节制闸(二闸) Main Canal Check 2 zg-zg-03' },
  { key: 'b', words: '二闸泄水闸 Gate 2 spillway zg-zg-07' },
  { key: 'c', words: '永济干渠进水闸 Yongji head gate yj-yj-01' },
]
const keys = (text: string): string[] => findTargets(targets, text).map((t) => t.key)

test('a gate is found by a part of its name in either language or its id, and the one that begins so stands first', () => {
  expect(keys('二闸')).toEqual(['b', 'a'])
  expect(keys('yongji')).toEqual(['c'])
  expect(keys('zg-zg-03 check')).toEqual(['a'])
  expect(keys('总排干')).toEqual([])
})
test('nothing typed finds all, in their order', () => {
  expect(keys('  ')).toEqual(['a', 'b', 'c'])
})
