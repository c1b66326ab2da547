/** The requests in `bytes` (Modbus TCP, FC 3 and 4) answered: `fill` writes the words from `address` on at `offset` of the reply. */
export function repliesTo(bytes, fill) {
  const replies = []
  for (let at = 0; at + 12 <= bytes.length; at += 12) {
    const [address, words] = [bytes.readUInt16BE(at + 8), bytes.readUInt16BE(at + 10)]
    const reply = Buffer.alloc(9 + 2 * words)
    bytes.copy(reply, 0, at, at + 4)
    reply.writeUInt16BE(3 + 2 * words, 4)
    bytes.copy(reply, 6, at + 6, at + 8)
    reply.writeUInt8(2 * words, 8)
    fill(reply, { offset: 9, address, words })
    replies.push(reply)
  }
  return replies.length === 1 ? replies[0] : Buffer.concat(replies)
}
