import { expect, test } from 'vitest'
import { noHealth } from '#contract/health.ts'
import { worthTelling } from './report.ts'

const told = { ...noHealth(), outbox_bytes: 100_000, receipt_delay_ms: 900, slow_down: 0, uptime_s: 0, errors: { timeout: 4 } }

test('figures that have hardly moved are not told, and what can’t wait does not', () => {
  expect(worthTelling({ ...told, outbox_bytes: 110_000, receipt_delay_ms: 1100, uptime_s: 60 }, told, { regular: true })).toEqual([])
  expect(worthTelling({ ...told, outbox_bytes: 500_000, slow_down: 1 }, told, { regular: false })).toEqual(['slow_down'])
  expect(worthTelling({ ...told, outbox_bytes: 500_000, slow_down: 1 }, told, { regular: true })).toEqual(['outbox_bytes', 'slow_down'])
})

test('a first failure of another kind is told, and a figure that is known for the first time', () => {
  expect(worthTelling({ ...told, errors: { timeout: 4, bad_reply: 1 } }, told, { regular: true })).toEqual(['errors'])
  expect(worthTelling({ ...told, month_end_mb: 2 }, told, { regular: true })).toEqual(['month_end_mb'])
})
