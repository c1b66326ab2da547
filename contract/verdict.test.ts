import { expect, test } from 'vitest'
import { VERDICT_CAUSES, type Verdict, type VerdictCause, verdictCode, verdictOf } from './verdict.ts'

test('a verdict comes back from its code with its cause, and no verdict is code 0', () => {
  for (const cause of Object.keys(VERDICT_CAUSES) as VerdictCause[]) {
    for (const level of ['doubtful', 'unreliable'] as const) {
      const verdict: Verdict = { level, cause }
      expect(verdictOf(verdictCode(verdict))).toEqual(verdict)
    }
  }
  expect(verdictCode(undefined)).toBe(0)
  expect(verdictOf(0)).toBeUndefined()
})

test('a cause that a newer version wrote is another cause, with its level', () => {
  expect(verdictOf(2555)).toEqual({ level: 'unreliable', cause: 'other' })
})
