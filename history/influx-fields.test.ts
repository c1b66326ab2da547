import fc from 'fast-check'
import { expect, test } from 'vitest'
import { METRICS } from '#contract/metrics.ts'
import { metricOfField, qualityField, valueField, verdictField } from './influx-fields.ts'

const pieces = fc.constantFrom('a', '_q', '_m', '_v', 'rx', 'time', 'gate', '%', '%5F', '\\', '\n', ' ', '=', '闸')
const metric = fc.oneof(
  fc.array(pieces, { minLength: 1, maxLength: 5 }).map((p) => p.join('')),
  fc.string({ minLength: 1 }),
)

test('every metric is found again by each of its fields', () => {
  fc.assert(
    fc.property(metric, (name) => {
      expect(metricOfField(valueField(name))).toBe(name)
      expect(metricOfField(qualityField(name))).toBe(name)
      expect(metricOfField(verdictField(name))).toBe(name)
    }),
  )
})

test('no two metrics share a field, and none takes one of ours', () => {
  fc.assert(
    fc.property(metric, metric, (a, b) => {
      expect(['rx', 'time', 'gate']).not.toContain(valueField(a))
      expect(valueField(a)).not.toBe(qualityField(b))
      expect(valueField(a)).not.toBe(verdictField(b))
      if (a !== b) expect(valueField(a)).not.toBe(valueField(b))
    }),
  )
})

test('the fields of the catalogue are named as in the catalogue', () => {
  for (const { name } of METRICS) expect([valueField(name), qualityField(name)]).toEqual([name, `${name}_q`])
})
