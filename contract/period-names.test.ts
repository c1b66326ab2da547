import { expect, test } from 'vitest'
import { periodName } from './period-names.ts'
import { HETAO_CALENDAR, PERIOD_STEPS, periodAt } from './periods.ts'

test('the periods of an afternoon in the first days of December are named as a district names them', () => {
  const at = Date.UTC(2026, 11, 3, 6)
  const named = (language: 'zh' | 'en') => PERIOD_STEPS.map((step) => periodName(step, periodAt(step, at, HETAO_CALENDAR).key)[language])
  expect(named('zh')).toEqual(['2026-12-03 14:00', '2026年12月3日', '2026年12月上旬', '2026年12月', '2026年非灌溉期', '2026—2027 水文年'])
  expect(named('en')).toEqual(['2026-12-03 14:00', '2026-12-03', '2026-12, days 1–10', '2026-12', '2026 idle season', 'water year 2026/27'])
})

test('a season that only this district has goes by its own name', () => {
  expect(periodName('season', '2026-winter-wheat')).toEqual({ zh: '2026年winter-wheat', en: '2026 winter-wheat' })
})
