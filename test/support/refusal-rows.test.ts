import { expect, test } from 'vitest'
import { zhReasons } from '../../dashboard/src/command/reasons.ts'
import { AT_THE_END, NEVER_SHOWN, ROWS } from './refusal-rows.ts'

test('no reason that the screen has words for is left out of the rows', () => {
  const reached = new Set<string>([...Object.values(ROWS).flat(), ...AT_THE_END, ...NEVER_SHOWN])
  expect(Object.keys(zhReasons.reason).filter((reason) => !reached.has(reason))).toEqual([])
})
