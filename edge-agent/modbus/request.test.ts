import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectedOf, pduOf, type ReadRequest, type Request, readPdu, type WriteRequest } from './request.ts'

const read: ReadRequest = { unit: 17, space: 'holding', address: 0x6b, words: 3 }
const hex = (request: Request): string => pduOf(request).toString('hex')
const say = (request: Request, pdu: string): unknown => readPdu(Buffer.from(pdu, 'hex'), request)

test('requests are those of the Modbus specification, by its own examples', () => {
  // MB §6.1, §6.2, §6.3, §6.4, §6.5, §6.6, §6.11, §6.12.
  expect(hex({ unit: 1, space: 'coil', address: 0x13, words: 19 })).toBe('0100130013')
  expect(hex({ unit: 1, space: 'discrete', address: 0xc4, words: 22 })).toBe('0200c40016')
  expect(hex(read)).toBe('03006b0003')
  expect(hex({ unit: 1, space: 'input', address: 8, words: 1 })).toBe('0400080001')
  expect(hex({ unit: 1, write: 'coil', address: 0xac, value: 1 })).toBe('0500acff00')
  expect(hex({ unit: 1, write: 'register', address: 1, value: 3 })).toBe('0600010003')
  const bits = [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]
  expect(hex({ unit: 1, write: 'coils', address: 0x13, values: bits })).toBe('0f0013000a02cd01')
  expect(hex({ unit: 1, write: 'registers', address: 1, values: [0x0a, 0x0102] })).toBe('100001000204000a0102')
})

test('a value that no register holds, or more of them than a frame holds, is never sent', () => {
  expect(() => pduOf({ unit: 1, write: 'register', address: 0, value: 65_536 })).toThrow('no 16-bit word')
  expect(() => pduOf({ unit: 1, write: 'registers', address: 0, values: [1.5] })).toThrow('no 16-bit word')
  expect(() => pduOf({ unit: 1, write: 'registers', address: 0, values: new Array(124).fill(0) })).toThrow('124 values')
  expect(() => pduOf({ unit: 1, write: 'register', address: 65_536, value: 1 })).toThrow('address 65536')
})

test('a reply gives words, or the reason that it gives none', () => {
  expect(say(read, '0306022b00000064')).toEqual({ kind: 'words', words: [0x022b, 0, 0x64] })
  expect(say({ ...read, space: 'coil', words: 10 }, '0102cd01')).toEqual({ kind: 'words', words: [1, 0, 1, 1, 0, 0, 1, 1, 1, 0] })
  const reasons = [1, 2, 3, 4, 6, 11, 99].map((code) => readPdu(Buffer.from([0x83, code]), read))
  expect(reasons.map((r) => (r.kind === 'bad' ? r.reason : r.kind))).toEqual([
    'exception_illegal_function',
    'exception_illegal_address',
    'exception_illegal_value',
    'exception_device_failure',
    'exception_busy',
    'exception_gateway',
    'exception_other',
  ])
})

test('a write counts as done when the device repeats it, and not when it repeats another', () => {
  const one: WriteRequest = { unit: 1, write: 'register', address: 10, value: 1250 }
  expect(readPdu(pduOf(one), one)).toEqual({ kind: 'written' })
  expect(readPdu(pduOf({ ...one, value: 1251 }), one)).toEqual({ kind: 'bad', reason: 'bad_reply' })
  expect(readPdu(pduOf({ ...one, address: 11 }), one)).toEqual({ kind: 'bad', reason: 'bad_reply' })
  const many: WriteRequest = { unit: 1, write: 'registers', address: 10, values: [1250, 4, 7] }
  expect(say(many, '10000a0003')).toEqual({ kind: 'written' })
  expect(say(many, '10000a0002')).toEqual({ kind: 'bad', reason: 'bad_reply' })
})

test('any bytes are words for a read of that very length and function, or a bad reply', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 260 }), (bytes) => {
      const reply = readPdu(Buffer.from(bytes), read)
      if (reply.kind === 'words') expect([bytes.length, bytes[0], bytes[1]]).toEqual([expectedOf(read).pduBytes, 3, 6])
      else expect(reply.kind).toBe('bad')
    }),
    { numRuns: 2000 },
  )
})
