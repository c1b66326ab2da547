import { expect, test } from 'vitest'
import { inUnit, recentSpan, spanIn } from './ask.ts'

// 2026-11-26 10:00 in Beijing.
const NOW = Date.UTC(2026, 10, 26, 2)

test('the last ten-day periods begin at 08:00 on a 1st, 11th or 21st, the running one goes up to now', () => {
  // Seven of them: from the last days of September.
  expect(recentSpan('tenday', NOW)).toEqual({ from: Date.UTC(2026, 8, 21), to: NOW })
  expect(recentSpan('year', NOW).from).toBe(Date.UTC(2024, 6, 1))
})

test('an address with dates that are none shows the last periods', () => {
  expect(spanIn({ from: '2000', to: '1000' }, 'day', NOW)).toEqual(recentSpan('day', NOW))
  expect(spanIn({ from: '1000', to: '2000' }, 'day', NOW)).toEqual({ from: 1000, to: 2000 })
})

test('86 400 m³ are one 流量日 and 8.64 万m³', () => {
  expect([inUnit(86_400, 'flow_day'), inUnit(86_400, 'wan_m3'), inUnit(86_400, 'm3')]).toEqual([1, 8.64, 86_400])
})
