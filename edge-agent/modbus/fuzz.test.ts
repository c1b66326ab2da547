import { expect, test } from 'vitest'
import { FRAMINGS, fuzzAtLeast } from '#test/support/modbus-adversary.ts'

test.each(FRAMINGS)('over %s a bad line never makes a wrong value where any check can tell, nor a hang', async (framing) => {
  const counts = await fuzzAtLeast(framing, { frames: 10_000, seed: 1, lines: 32 })
  expect(counts.frames).toBeGreaterThanOrEqual(10_000)
  expect(counts).toMatchObject({ wrong: 0, hangs: 0 })
  // The line is bad, not dead: else nothing was tried.
  expect(counts.right).toBeGreaterThan(1000)
  if (framing === 'tcp') expect(counts.not_to_be_told).toBe(0)
})
