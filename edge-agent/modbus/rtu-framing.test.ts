import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectedOf, pduOf, type ReadRequest } from './request.ts'
import { crc16, rtuFrame, rtuFraming } from './rtu-framing.ts'

const request: ReadRequest = { unit: 1, space: 'holding', address: 0, words: 2 }
const expected = expectedOf(request)
const answer = rtuFrame(1, Buffer.from([3, 4, 0x44, 0x83, 0x8b, 0xd7]))
const heartbeat = Buffer.from('www.usr.cn')

test('the check sum is that of three makers’ manuals', () => {
  expect(rtuFrame(1, pduOf({ ...request, words: 1 })).toString('hex')).toBe('010300000001840a')
  expect(rtuFrame(1, Buffer.from('03020010', 'hex')).toString('hex')).toBe('0103020010b988')
  // The CYK manual prints E8 06 for this one, which is wrong.
  expect(rtuFrame(1, Buffer.from('03028010', 'hex')).toString('hex')).toBe('0103028010d848')
  // The sum of a frame with its sum is 0.
  expect(crc16(answer)).toBe(0)
})

test('an answer is found behind any garbage and however it is cut', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 60 })),
      (before, after, cuts) => {
        const framing = rtuFraming()
        const stream = Buffer.concat([before, answer, after])
        let rest: Buffer = Buffer.alloc(0)
        let pdu: string | null = null
        const edges = [0, ...cuts.filter((c) => c < stream.length).sort((a, b) => a - b), stream.length]
        for (const [i, start] of edges.entries()) {
          rest = Buffer.concat([rest, stream.subarray(start, edges[i + 1])])
          for (;;) {
            const found = framing.take(rest, expected)
            if (found.kind === 'garbage' || found.kind === 'incomplete') break
            if (found.kind === 'reply') pdu ??= found.pdu.toString('hex')
            rest = found.rest
          }
        }
        expect(pdu).toBe('030444838bd7')
      },
    ),
  )
})

test('a DTU’s heartbeat in the middle of a frame is taken out of it, wherever it stands', () => {
  const framing = rtuFraming([Buffer.from('REG0001'), heartbeat])
  for (let at = 0; at <= answer.length; at++) {
    const stream = Buffer.concat([answer.subarray(0, at), heartbeat, answer.subarray(at)])
    expect(framing.take(stream, expected)).toMatchObject({ kind: 'reply', pdu: answer.subarray(1, -2) })
    // While the end is still to come nobody calls it damaged.
    if (at < answer.length) expect(framing.take(stream.subarray(0, -1), expected)).toMatchObject({ kind: 'incomplete', damaged: false })
  }
  expect(rtuFraming().take(Buffer.concat([answer.subarray(0, 5), heartbeat, answer.subarray(5)]), expected)).toMatchObject({
    damaged: true,
  })
})

test('an answer of another unit, function or length is never taken for this one', () => {
  const framing = rtuFraming()
  const others = [
    rtuFrame(2, Buffer.from([3, 4, 0, 1, 0, 2])),
    rtuFrame(1, Buffer.from([4, 4, 0, 1, 0, 2])),
    rtuFrame(1, Buffer.from([3, 2, 0, 1])),
    rtuFrame(1, Buffer.from([0x84, 2])),
  ]
  for (const other of others) {
    expect(framing.take(other, expected)).toMatchObject({ kind: 'foreign', rest: Buffer.alloc(0) })
    expect(framing.take(Buffer.concat([other, answer]), expected).kind).toBe('foreign')
  }
  expect(framing.take(rtuFrame(1, Buffer.from([0x83, 2])), expected)).toMatchObject({ kind: 'reply', pdu: Buffer.from([0x83, 2]) })
})

test('any one wrong bit makes it no answer', () => {
  for (let bit = 0; bit < answer.length * 8; bit++) {
    const wrong = Buffer.from(answer)
    wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(rtuFraming().take(wrong, expected).kind).not.toBe('reply')
  }
})
