import type { Structure } from '#contract/district.ts'
import type { Reading } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import type { Sample } from '#history/port.ts'

/** A check structure of two leaves, 4 m wide each, sill at its datum. */
export const CHECK: Structure = {
  id: 'yc-zh-01',
  name: { zh: '一闸', en: 'One' },
  provenance: 'invented',
  area: 'yichang',
  canal: 'zaohuo',
  site: 'yc-s001',
  type: 'regulator',
  leaves: 2,
  leaf_width_m: 4,
  leaf_height_m: 2.5,
  design_flow_m3s: 20,
  chainage_km: 1,
  sill_m: 1030,
  datum_m: 1030,
  design_level_up_m: 1032,
  design_level_down_m: 1031,
  lat: 41,
  lon: 108,
}
export const T0 = 1_790_000_000_000

export const sample = (metric: string, t: number, reading: Reading, received = t + 1000): Sample => ({
  gate: CHECK.id,
  metric,
  t: unixMs(T0 + t),
  received: unixMs(T0 + received),
  reading,
})
