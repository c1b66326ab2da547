import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeFrame, type Frame, takeFrames } from './modbus-frame.ts'

const frame: fc.Arbitrary<Frame> = fc.record({
  transaction: fc.nat(0xffff),
  unit: fc.nat(0xff),
  pdu: fc.uint8Array({ minLength: 1, maxLength: 253 }).map((bytes) => Buffer.from(bytes)),
})

test('frames are found whole however TCP cuts or joins them', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 }), (sent, cuts) => {
      const bytes = Buffer.concat(sent.map((f) => encodeFrame(f)))
      const found: Frame[] = []
      let rest = Buffer.alloc(0)
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const step = cuts[i % cuts.length] ?? 1
        const taken = takeFrames(Buffer.concat([rest, bytes.subarray(at, at + step)]))
        at += step
        if (!taken) throw new Error('not taken for Modbus TCP')
        found.push(...taken.frames)
        rest = Buffer.from(taken.rest)
      }
      expect(found.map(({ pdu, ...f }) => ({ ...f, pdu: [...pdu] }))).toEqual(sent.map(({ pdu, ...f }) => ({ ...f, pdu: [...pdu] })))
      expect(rest).toHaveLength(0)
    }),
  )
})

test('what is no Modbus TCP is not waited for', () => {
  expect(takeFrames(Buffer.from('GET / HTTP/1.1\r\n'))).toBeNull()
  expect(takeFrames(Buffer.from([0, 1, 0, 0, 0, 1, 1]))).toBeNull()
  expect(takeFrames(Buffer.from([0, 1, 0, 0, 0, 255, 1]))).toBeNull()
})

test('a frame can be told to lie about its length', () => {
  const frame: Frame = { transaction: 0x0102, unit: 3, pdu: Buffer.from([4, 2, 0, 9]) }
  expect([...encodeFrame(frame)]).toEqual([1, 2, 0, 0, 0, 5, 3, 4, 2, 0, 9])
  expect([...encodeFrame(frame, { lengthError: 2 })]).toEqual([1, 2, 0, 0, 0, 7, 3, 4, 2, 0, 9])
})
