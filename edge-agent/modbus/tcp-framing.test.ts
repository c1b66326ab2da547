import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectedOf, type ReadRequest } from './request.ts'
import { tcpFraming } from './tcp-framing.ts'

const request: ReadRequest = { unit: 17, space: 'holding', address: 0x6b, words: 1 }
const expected = expectedOf(request)
const frame = (transaction: number, unit: number, pdu: number[]): Buffer =>
  Buffer.from([transaction >> 8, transaction & 255, 0, 0, 0, pdu.length + 1, unit, ...pdu])

test('a request is the one in the Modbus specification, in an MBAP header with the next transaction', () => {
  expect(tcpFraming(0x1233).encode(17, Buffer.from('03006b0003', 'hex')).toString('hex')).toBe('123400000006' + '11' + '03006b0003')
})

test('a late reply is known by its transaction, and between exchanges every frame is foreign', () => {
  const framing = tcpFraming(4)
  framing.encode(17, Buffer.from('03006b0001', 'hex'))
  expect(framing.take(frame(4, 17, [3, 2, 0, 1]), expected).kind).toBe('foreign')
  expect(framing.take(frame(5, 17, [3, 2, 0, 1]), expected)).toMatchObject({ kind: 'reply', unit: 17, pdu: Buffer.from([3, 2, 0, 1]) })
  expect(framing.take(frame(5, 17, [3, 2, 0, 1]), null).kind).toBe('foreign')
})

test('frames are found however TCP cuts them, and any bytes end in a frame, a wait or garbage', () => {
  const framing = tcpFraming()
  const stream = Buffer.concat([frame(1, 17, [3, 2, 0, 1]), frame(2, 17, [0x83, 2])])
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: stream.length - 1 })), (cuts) => {
      let found = 0
      let rest: Buffer = Buffer.alloc(0)
      const edges = [0, ...cuts.sort((a, b) => a - b), stream.length]
      for (const [i, start] of edges.entries()) {
        rest = Buffer.concat([rest, stream.subarray(start, edges[i + 1])])
        for (let next = framing.take(rest, null); next.kind === 'foreign'; next = framing.take(rest, null)) {
          found++
          rest = next.rest
        }
      }
      expect([found, rest.length]).toEqual([2, 0])
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(['incomplete', 'foreign', 'reply', 'garbage']).toContain(framing.take(Buffer.from(bytes), expected).kind)
    }),
    { numRuns: 2000 },
  )
})
