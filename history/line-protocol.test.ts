import { expect, test } from 'vitest'
import { bad, good, stale } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { encodeLine, linesOf } from './line-protocol.ts'
import type { Sample } from './port.ts'

const sample = (change: Partial<Sample>): Sample => ({
  gate: 'yc-zh-03',
  metric: 'level_up',
  t: unixMs(1000),
  received: unixMs(2000),
  reading: good(1.25),
  ...change,
})
const encode = (samples: readonly Sample[], rewrite: boolean): string[] => linesOf(samples).map((line) => encodeLine(line, { rewrite }))

test('the samples of one gate and time are one line', () => {
  const samples = [
    sample({}),
    sample({ metric: 'flow', reading: stale(18.5), received: unixMs(2500) }),
    sample({ metric: 'opening', reading: bad('timeout') }),
    sample({ t: unixMs(1001) }),
    sample({ gate: 'yc-zh-04' }),
  ]
  expect(encode(samples, false)).toEqual([
    'gate,gate=yc-zh-03 level_up=1.25,flow=18.5,flow_q=500i,opening_q=1i,rx=2500i 1000',
    'gate,gate=yc-zh-03 level_up=1.25,rx=2000i 1001',
    'gate,gate=yc-zh-04 level_up=1.25,rx=2000i 1000',
  ])
})

test('whoever rewrites a point writes its quality and verdict, GOOD and reliable included', () => {
  expect(encode([sample({})], true)).toEqual(['gate,gate=yc-zh-03 level_up=1.25,level_up_q=0i,level_up_v=0i,rx=2000i 1000'])
})

test('a verdict stands beside the value', () => {
  expect(encode([sample({ verdict: { level: 'unreliable', cause: 'spike' } })], false)).toEqual([
    'gate,gate=yc-zh-03 level_up=1.25,level_up_v=2006i,rx=2000i 1000',
  ])
})

test('a name with the signs of line protocol stays one name', () => {
  expect(encode([sample({ metric: 'Pump 1,speed=rpm' })], false)).toEqual(['gate,gate=yc-zh-03 Pump\\ 1\\,speed\\=rpm=1.25,rx=2000i 1000'])
})
