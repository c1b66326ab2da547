import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bad, good } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { LONGEST_BRIDGED, startFold } from './aggregate.ts'
import type { Sample } from './port.ts'
import { sliceOfSample } from './slice.ts'

const page = readFileSync(new URL('../docs/data.md', import.meta.url), 'utf8').split('### Worked example')[1] ?? ''
const rows = [...page.matchAll(/^\| ([^|]+) \| ([^|]+) \|(?: ([^|]*)\|)?$/gm)].map((m) => m.slice(1, 4).map((cell) => (cell ?? '').trim()))
/** 08:00 in Asia/Shanghai is 00:00 UTC. */
const at = (local: string) => unixMs(Date.UTC(2026, 6, 1, Number(local.slice(0, 2)) - 8, Number(local.slice(3))))

test('the worked example of docs/data.md comes out as the page says', () => {
  const samples = rows.flatMap(([time = '', flow = '', note = '']): Sample[] => {
    if (!/^\d\d:\d\d$/.test(time)) return []
    const reading = flow === 'BAD' ? bad('timeout') : good(Number(flow))
    const verdict = note.startsWith('unreliable') ? ({ level: 'unreliable', cause: 'spike' } as const) : undefined
    return [{ gate: 'g', metric: 'flow', t: at(time), received: at(time), reading, ...(verdict && { verdict }) }]
  })
  const stated = new Map(rows.map(([name = '', value = '']) => [name, Number.parseFloat(value)]))
  expect([samples.length, [...stated.keys()].includes('volume')]).toEqual([9, true])
  const fold = startFold([at('09:00'), at('10:00')], LONGEST_BRIDGED)
  for (const sample of samples) fold.add(sliceOfSample({ sample, by: 'nothing' }))
  const [hour] = fold.result()
  expect(hour?.integral).toBeCloseTo(stated.get('volume') ?? Number.NaN, 6)
  expect(hour?.completeness).toBeCloseTo(stated.get('completeness') ?? Number.NaN, 6)
  expect(hour?.estimatedShare).toBeCloseTo(stated.get('estimated share') ?? Number.NaN, 4)
  expect(hour?.badShare).toBeCloseTo(stated.get('bad share') ?? Number.NaN, 4)
  expect(hour?.bridgingError).toBeCloseTo(stated.get('half-width of the estimate') ?? Number.NaN, 6)
})
