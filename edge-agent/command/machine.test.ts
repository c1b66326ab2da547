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

test('an agent that was killed while a leaf was stuck withdraws that order before another leaf is moved', () => {
  const level = { kind: 'hold_level', level_up_m: 1 } as const
  const run = runHistory([
    { op: 'command', action: level, ttl_s: 30, counter: 'next' },
    { op: 'leaf', trouble: 'stuck' },
    { op: 'clock', time: 'untrusted' },
    { op: 'kill', after: 3 },
    { op: 'wait', s: 35 },
    { op: 'command', action: level, ttl_s: -1, counter: 'next' },
  ])
  expect(run.ended['failed restarted']).toBe(1)
  expect(run.drives).toBeGreaterThan(1)
})

test('two presets of one time are refused: neither could be told from the other', () => {
  const at = 1_790_000_552_000
  const both = [
    { at, action: { kind: 'hold_flow', flow_m3s: 0 } },
    { at, action: { kind: 'open', opening_m: 0, leaf: null } },
  ] as const
  const run = runHistory([
    { op: 'command', action: { kind: 'schedule', presets: [...both] }, ttl_s: 30, counter: 'next' },
    { op: 'level', up: 0.8, down: 1.4 },
    { op: 'wait', s: 1 },
    { op: 'wait', s: 1 },
    { op: 'wait', s: 1 },
    { op: 'command', action: { kind: 'flow', flow_m3s: 0 }, ttl_s: -1, counter: 'next' },
  ])
  expect(run.ended['refused malformed']).toBe(1)
})
