import { expect, test } from 'vitest'
import type { LedgerEntry } from '#contract/http/ledger.ts'
import { notableEntries, sharesOf } from './ledger.ts'

const entry = (kind: LedgerEntry['kind'], from: number, readings: number | null): LedgerEntry => ({
  kind,
  gate: 'g',
  from,
  to: from + 1,
  readings,
  received_from: null,
  received_to: null,
  note: '',
})
const BOOKS = [
  entry('live', 0, 5),
  entry('late', 5, 15),
  entry('missing', 19, 0),
  entry('lost', 21, 240),
  entry('live', 50, 2),
  entry('corrected', 21, null),
]

test('the books of a day say how many readings came live, late and were lost', () => {
  expect(sharesOf(BOOKS)).toEqual([
    { kind: 'live', readings: 7 },
    { kind: 'late', readings: 15 },
    { kind: 'lost', readings: 240 },
  ])
})

test('what is not the ordinary day is listed, the newest first', () => {
  expect(notableEntries(BOOKS).map((e) => [e.kind, e.from])).toEqual([
    ['lost', 21],
    ['corrected', 21],
    ['missing', 19],
    ['late', 5],
  ])
})
