import fc from 'fast-check'
import foreign from 'sparkplug-payload'
import { expect, test } from 'vitest'
import { shortestFloat32 } from '../float32.ts'
import { DATATYPES, type Datatype, DecodeFault, decodePayload, encodePayload, metricValue, type SparkplugMetric } from './payload.ts'

const int = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
const valueByType: Record<Datatype, fc.Arbitrary<SparkplugMetric['value']>> = {
  Int8: int(-128, 127),
  Int16: int(-32_768, 32_767),
  Int32: int(-2_147_483_648, 2_147_483_647),
  Int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  UInt8: int(0, 255),
  UInt16: int(0, 65_535),
  UInt32: int(0, 4_294_967_295),
  UInt64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  Float: fc.float({ noNaN: true, noDefaultInfinity: true }).map(shortestFloat32),
  Double: fc.double({ noNaN: true }),
  Boolean: fc.boolean(),
  String: fc.string(),
  DateTime: fc.bigInt({ min: 0n, max: 2n ** 52n }),
  Text: fc.string(),
  UUID: fc.uuid(),
  Bytes: fc.uint8Array(),
}
const time = fc.integer({ min: 0, max: 4_102_444_800_000 })
const metric: fc.Arbitrary<SparkplugMetric> = fc.constantFrom(...(Object.keys(DATATYPES) as Datatype[])).chain((datatype) =>
  fc.record(
    {
      datatype: fc.constant(datatype),
      value: fc.oneof({ weight: 6, arbitrary: valueByType[datatype] }, { weight: 1, arbitrary: fc.constant(null) }),
      name: fc.string({ minLength: 1 }),
      alias: fc.nat(),
      timestamp: time,
      historical: fc.constant(true),
      quality: fc.constantFrom(0, 192, 500),
      reason: fc.string({ minLength: 1 }),
    },
    { requiredKeys: ['datatype', 'value'] },
  ),
)
const payload = fc.record(
  { timestamp: time, seq: int(0, 255), metrics: fc.array(metric, { maxLength: 20 }) },
  { requiredKeys: ['metrics'] },
)

test('any payload that we encode decodes to itself', () => {
  fc.assert(
    fc.property(payload, (p) => {
      const raw = decodePayload(encodePayload(p))
      const back = {
        ...raw,
        metrics: raw.metrics.map((m) => {
          const { raw: _raw, ...rest } = m
          return { ...rest, value: metricValue(m) }
        }),
      }
      expect(back).toEqual(p)
    }),
    { numRuns: 1000 },
  )
})

test('a value without its datatype is read by the type that the birth gave', () => {
  fc.assert(
    fc.property(metric, (m) => {
      const { datatype, ...bare } = m
      const bytes = encodePayload({ metrics: [m] })
      const [decoded] = decodePayload(bytes).metrics
      if (!decoded) throw new Error('no metric')
      expect(metricValue({ ...decoded, datatype: undefined }, datatype)).toEqual(bare.value)
    }),
  )
})

test('no bytes make decode throw anything but a DecodeFault', () => {
  const throwsOnlyFaults = (bytes: Uint8Array): void => {
    try {
      for (const m of decodePayload(bytes).metrics) metricValue(m)
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeFault)
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), throwsOnlyFaults), { numRuns: 5000 })
  // Bytes that are nearly right go deeper into the decoder than noise does.
  const damaged = fc.tuple(payload, fc.array(fc.tuple(fc.nat(), int(0, 255)), { maxLength: 8 }), fc.nat()).map(([p, edits, cut]) => {
    const bytes = encodePayload(p)
    for (const [at, byte] of edits) if (bytes.length > 0) bytes[at % bytes.length] = byte
    return bytes.slice(0, bytes.length - (cut % (bytes.length + 1)))
  })
  fc.assert(fc.property(damaged, throwsOnlyFaults), { numRuns: 5000 })
})

test('the reference library reads what we write, and we read what it writes', () => {
  const reference = foreign.get('spBv1.0')
  if (!reference) throw new Error('sparkplug-payload knows no spBv1.0')
  const ours = reference.decodePayload(
    encodePayload({
      timestamp: 1_700_000_000_000,
      seq: 7,
      metrics: [
        { name: 'level_up', alias: 3, timestamp: 1_700_000_000_000, datatype: 'Float', value: 1.25 },
        { name: 'rssi', datatype: 'Int32', value: -77 },
        { name: 'flow', datatype: 'Float', value: null, quality: 0, reason: 'timeout' },
      ],
    }),
  )
  expect(ours.metrics?.map((m) => [m.name, m.type, m.value])).toEqual([
    ['level_up', 'Float', 1.25],
    ['rssi', 'Int32', -77],
    ['flow', 'Float', null],
  ])
  expect(ours.metrics?.[2]?.properties).toMatchObject({ Quality: { value: 0 }, Reason: { value: 'timeout' } })

  const theirs = decodePayload(
    reference.encodePayload({
      timestamp: 1_700_000_000_000,
      seq: 255,
      metrics: [
        { name: 'level_up', type: 'Double', value: 2.5 },
        { name: 'mode', type: 'Int16', value: -2 },
        { name: 'table', type: 'DataSet', value: { numOfColumns: 1, columns: ['a'], types: ['Int32'], rows: [[1]] } },
      ],
    }),
  )
  expect(theirs.seq).toBe(255)
  expect(theirs.metrics.map((m) => metricValue(m))).toEqual([2.5, -2, undefined])
})
