/** A Modbus TCP connection looked into on its way: each write is shown before the device has it, and once it has answered. */
import { connect, createServer, type Socket } from 'node:net'

export type SeenWrite = { readonly unit: number; readonly address: number; readonly values: readonly number[] }
export type ModbusTap = { readonly port: number; close(): Promise<void> }
/** The write is passed on when `asked` is done. */
export type Watch = { readonly asked: (write: SeenWrite) => Promise<void>; readonly answered: (write: SeenWrite) => void }

const HEADER = 6
const WRITE_REGISTERS = 16

export async function openModbusTap(device: { readonly port: number }, watch: Watch): Promise<ModbusTap> {
  const sockets = new Set<Socket>()
  const server = createServer((agent) => {
    const line = connect(device.port, '127.0.0.1')
    const asked = new Map<number, SeenWrite>()
    for (const [socket, other] of [
      [agent, line],
      [line, agent],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => other.destroy())
    }
    let passing: Promise<void> = Promise.resolve()
    eachFrame(agent, (frame) => {
      const write = writeOf(frame)
      if (write) asked.set(frame.readUInt16BE(0), write)
      passing = passing.then(async () => {
        if (write) await watch.asked(write)
        line.write(frame)
      })
    })
    eachFrame(line, (frame) => {
      agent.write(frame)
      const write = asked.get(frame.readUInt16BE(0))
      if (write && frame[HEADER + 1] === WRITE_REGISTERS) watch.answered(write)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (!address || typeof address !== 'object') throw new Error('the tap has no port')
  return {
    port: address.port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function eachFrame(socket: Socket, take: (frame: Buffer) => void): void {
  let held: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    while (held.length >= HEADER && held.length >= HEADER + held.readUInt16BE(4)) {
      const length = HEADER + held.readUInt16BE(4)
      take(held.subarray(0, length))
      held = held.subarray(length)
    }
  })
}

function writeOf(frame: Buffer): SeenWrite | undefined {
  if (frame[HEADER + 1] !== WRITE_REGISTERS) return undefined
  const count = frame.readUInt16BE(HEADER + 4)
  const values = Array.from({ length: count }, (_, i) => frame.readUInt16BE(HEADER + 7 + 2 * i))
  return { unit: frame[HEADER] ?? 0, address: frame.readUInt16BE(HEADER + 2), values }
}
