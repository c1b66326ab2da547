import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ModbusException } from './modbus-exception.ts'
import { exceptionReply, parseRequest, readReply, writeReply } from './modbus-request.ts'

const pdu = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')

/** The examples of the MODBUS Application Protocol V1.1b3, sections 6.3, 6.4, 6.6 and 6.12. */
test('the examples of the standard are understood and answered as it says', () => {
  const read = parseRequest(pdu('03 006B 0003'))
  expect(read).toEqual({ kind: 'read', fc: 3, address: 107, length: 3 })
  expect(read.kind === 'read' && readReply(read, [0x022b, 0, 0x64])).toEqual(pdu('03 06 022B 0000 0064'))
  expect(parseRequest(pdu('04 0008 0001'))).toEqual({ kind: 'read', fc: 4, address: 8, length: 1 })
  const one = parseRequest(pdu('06 0001 0003'))
  expect(one).toEqual({ kind: 'write', fc: 6, address: 1, words: [3] })
  expect(one.kind === 'write' && writeReply(one)).toEqual(pdu('06 0001 0003'))
  const some = parseRequest(pdu('10 0001 0002 04 000A 0102'))
  expect(some).toEqual({ kind: 'write', fc: 16, address: 1, words: [10, 258] })
  expect(some.kind === 'write' && writeReply(some)).toEqual(pdu('10 0001 0002'))
  expect(exceptionReply(pdu('03 006B 0003'), 2)).toEqual(pdu('83 02'))
})

test('whatever bytes come, they are a request or get an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 253 }), (bytes) => {
      try {
        const request = parseRequest(Buffer.from(bytes))
        expect(request.fc).toBe(bytes[0])
      } catch (error) {
        expect(error).toBeInstanceOf(ModbusException)
      }
    }),
  )
  const code = (hex: string): unknown => {
    try {
      return parseRequest(pdu(hex))
    } catch (error) {
      return error instanceof ModbusException ? error.code : error
    }
  }
  expect([code('01 0000 0001'), code('2B 0E 01 00'), code('03 0000 0000'), code('03 0000 007E'), code('03 00')]).toEqual([1, 1, 3, 3, 3])
  expect([code('10 0001 0002 04 000A'), code('10 0001 0000 00'), code('10 0001 0001 04 000A 0102')]).toEqual([3, 3, 3])
})
