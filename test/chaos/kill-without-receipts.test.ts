import { expect, test } from 'vitest'
import { killAtRandom, print, SECONDS } from './killing.ts'

test('with the receipt turned off, the same test finds readings missing: it can fail', async () => {
  const result = await killAtRandom({ seconds: Math.min(SECONDS, 20), receipts: 'none', patience: 3 })
  print('Without receipts', result)
  expect(result.missing.length).toBeGreaterThan(0)
})
