import { expect, test } from 'vitest'
import { detailLines } from './details.ts'

test('of a change the trail tells what was and what is, and leaves out what stayed', () => {
  const details = {
    before: { name: '王', grants: [{ role: 'viewer', area: null }] },
    after: { name: '王', grants: [{ role: 'dispatcher', area: 'yichang' }] },
  }
  expect(detailLines(details)).toEqual([{ name: 'grants', text: 'role viewer, area — → role dispatcher, area yichang' }])
})

test('what an entry is about comes before the ids that only a search needs', () => {
  const details = { command: 'c1', action: { kind: 'open', opening_m: 0.42, leaf: null }, reason: null, until: 1_795_701_514_762 }
  expect(detailLines(details)).toEqual([
    { name: 'action', text: 'kind open, opening_m 0.42, leaf —' },
    { name: 'until', text: '2026-11-26 21:58:34' },
    { name: 'command', text: 'c1' },
  ])
})
