import fc from 'fast-check'
import { expect, test } from 'vitest'
import { op, runHistory } from '#test/support/command-model.ts'

test('through any history of commands, switches, faults, lost writes, full disks and kills: never two at once, outside limits, late, twice or against the hand; stop wins', () => {
  let [steps, drives] = [0, 0]
  const ended: Record<string, number> = {}
  fc.assert(
    fc.property(fc.array(op, { minLength: 5, maxLength: 40 }), (ops) => {
      const run = runHistory(ops)
      steps += run.steps
      drives += run.drives
      for (const [how, n] of Object.entries(run.ended)) ended[how] = (ended[how] ?? 0) + n
    }),
    { numRuns: 120 },
  )
  // A history in which nothing moves proves nothing.
  expect(drives).toBeGreaterThan(20)
  expect(ended['done']).toBeGreaterThan(20)
  expect(steps).toBeGreaterThan(50_000)
})
