// A Modbus TCP server that costs as little as one can: any unit, FC 3 and 4, register a holds a mod 1000. Prints its port.
// Run as a process of its own, so that what the reader costs is not mixed with what the server does.
import { createServer } from 'node:net'

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes) => {
    const replies = []
    for (let at = 0; at + 12 <= bytes.length; at += 12) {
      const [address, count] = [bytes.readUInt16BE(at + 8), bytes.readUInt16BE(at + 10)]
      const reply = Buffer.alloc(9 + 2 * count)
      bytes.copy(reply, 0, at, at + 4)
      reply.writeUInt16BE(3 + 2 * count, 4)
      bytes.copy(reply, 6, at + 6, at + 8)
      reply.writeUInt8(2 * count, 8)
      for (let i = 0; i < count; i++) reply.writeUInt16BE((address + i) % 1000, 9 + 2 * i)
      replies.push(reply)
    }
    socket.write(replies.length === 1 ? replies[0] : Buffer.concat(replies))
  })
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`))
