/** A million frames of a bad line, a third in each framing: what is accepted, and what can't be told from what is right. */
import { expect, test } from 'vitest'
import { FRAMINGS, fuzzAtLeast } from '../support/modbus-adversary.ts'

const FRAMES = Number(process.env['SLUICE_SOAK_FRAMES'] ?? 334_000)

test.each(FRAMINGS)('a third of a million frames over %s make no wrong value where any check can tell', async (framing) => {
  const before = process.memoryUsage().heapUsed
  const counts = await fuzzAtLeast(framing, { frames: FRAMES, seed: 11, lines: 32 })
  const grown_mb = (process.memoryUsage().heapUsed - before) / 1e6
  process.stdout.write(
    `${framing}: ${JSON.stringify(counts)}; heap ${grown_mb.toFixed(1)} MB more than before; a random frame passes a CRC-16 once in 65536\n`,
  )
  expect(counts).toMatchObject({ wrong: 0, hangs: 0 })
  if (framing === 'tcp') expect(counts.not_to_be_told).toBe(0)
  // Connections, timers and jobs that pile up would be hundreds of MB.
  expect(grown_mb).toBeLessThan(100)
})
