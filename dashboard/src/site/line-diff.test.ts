import fc from 'fast-check'
import { expect, test } from 'vitest'
import { changedLines, lineDiff } from './line-diff.ts'

test('a changed line is shown as gone and new, with its neighbours', () => {
  expect(changedLines(lineDiff('a\nb\nc\nd\ne', 'a\nb\nX\nd\ne'))).toEqual([
    { kind: 'same', text: 'b', line: 2 },
    { kind: 'gone', text: 'c', line: 3 },
    { kind: 'new', text: 'X', line: 3 },
    { kind: 'same', text: 'd', line: 4 },
  ])
})

test('what is the same shows no change', () => {
  expect(changedLines(lineDiff('a\nb', 'a\nb'))).toEqual([])
})

test('what stays and is gone makes the one text, what stays and is new the other', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1, maxLength: 12 }).map((l) => l.join('\n'))
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = lineDiff(before, after)
      const of = (kind: 'gone' | 'new') =>
        lines
          .filter((l) => l.kind !== kind)
          .map((l) => l.text)
          .join('\n')
      expect([of('new'), of('gone')]).toEqual([before, after])
    }),
  )
})
