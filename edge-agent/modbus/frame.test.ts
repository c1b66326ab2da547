import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeRead, nextFrame, type ReadRequest, readReply } from './frame.ts'

const request: ReadRequest = { unit: 17, space: 'holding', address: 0x6b, words: 3 }
const frame = (transaction: number, unit: number, pdu: number[]): Buffer =>
  Buffer.from([transaction >> 8, transaction & 255, 0, 0, 0, pdu.length + 1, unit, ...pdu])

test('a request is the one in the Modbus specification', () => {
  // MB §6.3, its example of function 03, in an MBAP header.
  expect(encodeRead(request, 0x1234).toString('hex')).toBe('123400000006' + '11' + '03006b0003')
})

test('a reply gives words, or the reason that it gives none', () => {
  expect(readReply(frame(5, 17, [3, 6, 0x02, 0x2b, 0, 0, 0, 0x64]), request, 5)).toEqual({ kind: 'words', words: [0x022b, 0, 0x64] })
  const coils: ReadRequest = { ...request, space: 'coil', words: 10 }
  expect(readReply(frame(5, 17, [1, 2, 0xcd, 0x01]), coils, 5)).toEqual({ kind: 'words', words: [1, 0, 1, 1, 0, 0, 1, 1, 1, 0] })
  const reasons = [1, 2, 3, 4, 6, 11, 99].map((code) => readReply(frame(5, 17, [0x83, code]), request, 5))
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

test('the reply to another request is never taken for this one’s', () => {
  const words = [3, 6, 0, 1, 0, 2, 0, 3]
  expect(readReply(frame(4, 17, words), request, 5)).toEqual({ kind: 'foreign' })
  for (const other of [
    frame(5, 18, words),
    frame(5, 17, [4, ...words.slice(1)]),
    frame(5, 17, [3, 4, 0, 1, 0, 2]),
    frame(5, 17, [3, 8, ...words.slice(2)]),
  ]) {
    expect(readReply(other, request, 5)).toEqual({ kind: 'bad', reason: 'bad_reply' })
  }
})

test('frames are found however TCP cuts them, and any bytes end in a frame, a wait or garbage', () => {
  const stream = Buffer.concat([frame(1, 17, [3, 2, 0, 1]), frame(2, 17, [0x83, 2])])
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: stream.length - 1 })), (cuts) => {
      const found: string[] = []
      let rest: Buffer = Buffer.alloc(0)
      const edges = [0, ...cuts.sort((a, b) => a - b), stream.length]
      for (const [i, start] of edges.entries()) {
        rest = Buffer.concat([rest, stream.subarray(start, edges[i + 1])])
        for (let next = nextFrame(rest); next.kind === 'frame'; next = nextFrame(rest)) {
          found.push(next.frame.toString('hex'))
          rest = next.rest
        }
      }
      expect(found.join('')).toBe(stream.toString('hex'))
      expect(found).toHaveLength(2)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const next = nextFrame(Buffer.from(bytes))
      if (next.kind === 'frame') expect(['words', 'bad', 'foreign']).toContain(readReply(next.frame, request, 5).kind)
    }),
    { numRuns: 2000 },
  )
})
