import { inflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { good } from '#contract/reading.ts'
import { decodePayload, type SparkplugMetric } from '#contract/sparkplug/payload.ts'
import { metricOfReading } from '#contract/sparkplug/readings.ts'
import { unixMs } from '#contract/units.ts'
import { packData } from './pack.ts'

const T = 1_790_000_000_000
const level = (i: number): SparkplugMetric =>
  metricOfReading('level_up', 300 + i, { t: unixMs(T), reading: good(1.2 + i / 100) }, { historical: false })
const message = (metrics: number) => ({ timestamp: T, seq: 7, metrics: Array.from({ length: metrics }, (_, i) => level(i)) })

test('a deflated payload is smaller, holds the same metrics, and its seq stands outside', () => {
  const plain = packData(message(12), { deflate: false })
  const packed = packData(message(12), { deflate: true })
  expect(packed.length).toBeLessThan(plain.length)
  const outer = decodePayload(packed)
  expect([outer.seq, outer.timestamp, outer.metrics]).toEqual([7, T, []])
  expect(decodePayload(inflateSync(outer.packed ?? new Uint8Array())).metrics).toEqual(decodePayload(plain).metrics)
})

test('what would not become smaller goes as it is, and without an agreement everything does', () => {
  expect(packData(message(1), { deflate: true })).toEqual(packData(message(1), { deflate: false }))
  expect(decodePayload(packData(message(12), { deflate: false })).packed).toBeUndefined()
})

test('data leave the datatype to the birth', () => {
  expect(decodePayload(packData(message(1), { deflate: false })).metrics[0]?.datatype).toBeUndefined()
})
