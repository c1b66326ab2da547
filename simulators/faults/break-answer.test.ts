import fc from 'fast-check'
import { expect, test } from 'vitest'
import { unixMs } from '#contract/units.ts'
import type { PlannedFault } from '../faults.ts'
import { encodeFrame, type Frame } from '../modbus-frame.ts'
import { RTU_WIRE, TCP_WIRE } from '../wire.ts'
import { breakAnswer } from './break-answer.ts'
import { parseOrder } from './order.ts'

const planned = (o: object): PlannedFault => ({
  id: 'f1',
  order: parseOrder({ site: 'a', ...o }, { place: 'test', code: 'CONFIG_INVALID' }),
  from: unixMs(0),
  until: null,
})
const answer: Frame = { transaction: 0xffff, unit: 1, pdu: Buffer.from([3, 4, 0, 1, 0, 2]) }
const whole = encodeFrame(answer)
const sent = (...orders: object[]) =>
  breakAnswer(answer, orders.map(planned), { previous: encodeFrame({ ...answer, transaction: 7 }), wire: TCP_WIRE })
const hex = (...orders: object[]): string => Buffer.concat(sent(...orders).segments).toString('hex')

test('without a fault of the frame the answer leaves at once, whole and in one piece', () => {
  const untouched = { segments: [whole], gap_ms: 0, delay_ms: 0, corrupted: null }
  expect(sent()).toEqual(untouched)
  expect(sent({ kind: 'frozen' }, { kind: 'swapped_words' })).toEqual(untouched)
})

test('each field of the frame is broken alone, and it is said by what', () => {
  expect(hex()).toBe('ffff00000007010304' + '00010002')
  expect(hex({ kind: 'wrong_transaction' })).toBe('000000000007010304' + '00010002')
  expect(hex({ kind: 'wrong_length', by: -2 })).toBe('ffff00000005010304' + '00010002')
  expect(hex({ kind: 'wrong_unit' })).toBe('ffff00000007020304' + '00010002')
  expect(hex({ kind: 'wrong_function' })).toBe('ffff00000007010404' + '00010002')
  for (const kind of ['wrong_transaction', 'wrong_length', 'wrong_unit', 'wrong_function']) expect(sent({ kind }).corrupted).toBe(kind)
})

test('the answer before comes once more in front of this one, in one segment; the first on a connection has none', () => {
  expect(sent({ kind: 'merged' }).segments).toEqual([Buffer.concat([encodeFrame({ ...answer, transaction: 7 }), whole])])
  expect(breakAnswer(answer, [planned({ kind: 'merged' })], { previous: null, wire: TCP_WIRE }).segments).toEqual([whole])
})

test('in however many pieces and however late, a valid answer stays the same bytes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), fc.nat(1000), fc.integer({ min: 1, max: 9000 }), (segments, gap_ms, delay_ms) => {
      const broken = sent({ kind: 'split', segments, gap_ms }, { kind: 'late', delay_ms })
      expect(Buffer.concat(broken.segments)).toEqual(whole)
      expect(broken.segments.length).toBeGreaterThan(1)
      expect(broken.segments.length).toBeLessThanOrEqual(segments)
      expect(broken).toMatchObject({ gap_ms, delay_ms, corrupted: null })
      for (const segment of broken.segments) expect(segment.length).toBeGreaterThan(0)
    }),
  )
})

test('whatever faults come together, bytes that differ from the answer are called corrupted', () => {
  const some = fc.subarray([
    { kind: 'split' },
    { kind: 'late', delay_ms: 5 },
    { kind: 'wrong_transaction' },
    { kind: 'wrong_unit' },
    { kind: 'wrong_length', by: 3 },
    { kind: 'wrong_function' },
  ])
  fc.assert(
    fc.property(some, (orders) => {
      expect(sent(...orders).corrupted === null).toBe(hex(...orders) === whole.toString('hex'))
    }),
  )
})

test('on a line of RTU frames the check sum can be wrong, and a wrong byte count has a right one', () => {
  const rtu = (...orders: object[]): string =>
    Buffer.concat(breakAnswer(answer, orders.map(planned), { previous: null, wire: RTU_WIRE }).segments).toString('hex')
  const right = rtu()
  expect(right).toBe('01030400010002' + '2a32')
  expect(rtu({ kind: 'crc_error' })).toBe('01030400010002' + '2b32')
  expect(rtu({ kind: 'wrong_length', by: 2 }).slice(0, -4)).toBe('01030600010002')
  expect(breakAnswer(answer, [planned({ kind: 'crc_error' })], { previous: null, wire: RTU_WIRE }).corrupted).toBe('crc_error')
})
