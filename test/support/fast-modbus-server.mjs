// A Modbus TCP server that costs as little as one can: any unit, FC 3 and 4, register a holds a mod 1000. Prints its port.
// Given a time in ms, every register moves by 20 each time it has passed.
// Run as a process of its own, so that what the reader costs is not mixed with what the server does.
import { createServer } from 'node:net'
import { repliesTo } from './modbus-replies.mjs'

const stepMs = Number(process.argv[2] ?? 0)
const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes) => {
    const moved = stepMs > 0 ? 20 * Math.floor(Date.now() / stepMs) : 0
    socket.write(
      repliesTo(bytes, (reply, { offset, address, words }) => {
        for (let i = 0; i < words; i++) reply.writeUInt16BE((address + i + moved) % 1000, offset + 2 * i)
      }),
    )
  })
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`))
