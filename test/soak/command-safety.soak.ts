/** The control machine through millions of steps of random histories. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { op, runHistory } from '../support/command-model.ts'

const LEAST_STEPS = Number(process.env['SLUICE_SOAK_STEPS'] ?? 2_000_000)

test('no rule of control is broken in two million steps', () => {
  let [steps, drives, histories] = [0, 0, 0]
  const ended: Record<string, number> = {}
  while (steps < LEAST_STEPS) {
    fc.assert(
      fc.property(fc.array(op, { minLength: 5, maxLength: 60 }), (ops) => {
        const run = runHistory(ops)
        steps += run.steps
        drives += run.drives
        histories += 1
        for (const [how, n] of Object.entries(run.ended)) ended[how] = (ended[how] ?? 0) + n
      }),
      { numRuns: 50 },
    )
  }
  process.stdout.write(`${steps} steps, ${histories} histories, ${drives} writes to a leaf, ended: ${JSON.stringify(ended)}\n`)
  expect(drives).toBeGreaterThan(histories)
})
