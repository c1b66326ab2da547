import { expect, test } from 'vitest'
import { unixMs } from '#contract/units.ts'
import { structure } from '../testing/district.ts'
import { preview } from './preview.ts'

const NOW = unixMs(1_760_000_000_000)
const gate = structure('yc-zh-03', { area: 'yichang', canal: 'yc', site: 'yc-s012' })
const read = (v: number, agoMs: number) => ({ v, q: 0, t: NOW - agoMs, rx: NOW })
const seenAgo = (agoMs: number) => ({
  state: {
    area: gate.area,
    site: gate.site,
    gate: gate.id,
    online: true,
    metrics: {
      opening: read(0.5, agoMs),
      opening_2: read(0.5, agoMs),
      level_up: read(1.8, agoMs),
      level_down: read(1.2, agoMs),
      flow: read(4, agoMs),
    },
  },
  stale_after_ms: 180_000,
})
const show = (agoMs: number) =>
  preview(gate, { kind: 'open', opening_m: 0.6, leaf: null }, { gate: seenAgo(agoMs), now: NOW, structures: [gate], isAutomatic: false })

test('a gate at rest, which its agent reports only now and then, is previewed until its values are as old as its screen calls STALE', () => {
  expect(show(170_000)).toMatchObject({ openings_m: [0.5, 0.5], targets_m: [0.6, 0.6] })
  expect(show(170_000).warnings).not.toContain('sensors_unsound')
  expect(show(181_000)).toMatchObject({ openings_m: null, targets_m: null, flow_now_m3s: null })
  expect(show(181_000).warnings).toContain('sensors_unsound')
})
