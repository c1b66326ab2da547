import { expect, test } from 'vitest'
import type { VolumePeriod } from '#contract/http/volume.ts'
import { volumeRows } from './volume-rows.ts'

const DAY_MS = 86_400_000
const day = (n: number, completeness = 1): VolumePeriod => ({
  key: `2026-11-2${n}`,
  from: n * DAY_MS,
  to: (n + 1) * DAY_MS,
  volume_m3: 1000 * n,
  volume_wan_m3: n / 10,
  volume_yi_m3: 0,
  flow_days: 0,
  plus_minus_m3: 1,
  mean_flow_m3s: 1,
  completeness,
  estimated_share: 0,
  bad_share: 0,
  samples: 1,
  doubtful: 0,
  unreliable: 0,
  corrected: false,
})

test('today stands first, then yesterday, and a day of which only a part was asked for is left out', () => {
  const rows = volumeRows([{ ...day(1), from: DAY_MS + 5 }, day(2), day(3)], DAY_MS + 5)
  expect(rows.map((r) => [r.period.key, r.ago])).toEqual([
    ['2026-11-23', 0],
    ['2026-11-22', 1],
  ])
})
test('a day with less than nine tenths of its time known is marked', () => {
  expect(volumeRows([day(2, 0.89), day(3, 0.9)], 0).map((r) => r.enough)).toEqual([true, false])
})
