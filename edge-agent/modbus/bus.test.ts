import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import modbus from 'modbus-serial'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { freePort, until } from '#test/support/servers.ts'
import { Bus, type BusReply } from './bus.ts'
import type { ReadRequest } from './frame.ts'

const log = pino({ level: 'silent' })
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const at = (address: number, unit = 1): ReadRequest => ({ unit, space: 'holding', address, words: 1 })
const words = (...values: number[]): BusReply => ({ kind: 'words', words: values })
const bad = (reason: string): unknown => ({ kind: 'bad', reason })

function openBus(port: number, timeout_ms = 150): Bus {
  const bus = Bus.open({ name: 'b', host: '127.0.0.1', port, timeout_ms }, log)
  closers.push(() => bus.close())
  return bus
}

type Request = { socket: Socket; transaction: number; unit: number; address: number }
const reply = (r: Request, value: number, transaction = r.transaction): Buffer =>
  Buffer.from([transaction >> 8, transaction & 255, 0, 0, 0, 5, r.unit, 3, 2, value >> 8, value & 255])

/** A device that does with each request what the test says. */
async function device(
  answer: (request: Request) => void,
  port?: number,
): Promise<{ port: number; server: Server; connections: () => number }> {
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) => {
      for (let i = 0; i + 12 <= bytes.length; i += 12)
        answer({ socket, transaction: bytes.readUInt16BE(i), unit: bytes.readUInt8(i + 6), address: bytes.readUInt16BE(i + 8) })
    })
  })
  const chosen = port ?? (await freePort())
  await new Promise<void>((resolve) => server.listen(chosen, '127.0.0.1', resolve))
  closers.push(() => {
    for (const s of sockets) s.destroy()
    server.close()
  })
  return { port: chosen, server, connections: () => connections }
}

test('registers of a real Modbus TCP server are read, and its exceptions are told apart', async () => {
  const port = await freePort()
  const server = new modbus.ServerTCP(
    {
      getHoldingRegister: (address: number) => {
        if (address >= 10) throw Object.assign(new Error('no such register'), { modbusErrorCode: 2 })
        return address * 10
      },
      getCoil: (address: number) => address % 2 === 0,
    },
    { host: '127.0.0.1', port, unitID: 255 },
  )
  closers.push(() => new Promise((resolve) => server.close(resolve)))
  await new Promise((resolve) => server.once('initialized', resolve))
  const bus = openBus(port, 2000)
  expect(await bus.read({ unit: 3, space: 'holding', address: 1, words: 4 })).toEqual(words(10, 20, 30, 40))
  expect(await bus.read({ unit: 3, space: 'coil', address: 0, words: 3 })).toEqual(words(1, 0, 1))
  expect(await bus.read(at(10))).toEqual(bad('exception_illegal_address'))
  expect(await bus.read(at(2))).toEqual(words(20))
})

test('a reply that comes after its time is not taken for the next one', async () => {
  let slow = true
  const peer = await device((r) => {
    const send = (): unknown => r.socket.write(reply(r, r.address))
    if (slow) setTimeout(send, 250)
    else send()
    slow = false
  })
  const bus = openBus(peer.port)
  expect(await bus.read(at(7))).toEqual(bad('timeout'))
  const replies: BusReply[] = []
  for (let i = 0; i < 20; i++) {
    replies.push(await bus.read(at(100 + i)))
    await sleep(20)
  }
  expect(replies).toEqual(Array.from({ length: 20 }, (_, i) => words(100 + i)))
  expect(peer.connections()).toBe(2)
})

test('a late reply on the same connection is known by its transaction', async () => {
  const peer = await device((r) => {
    r.socket.write(Buffer.concat([reply(r, 999, (r.transaction + 65_535) & 0xffff), reply(r, r.address)]))
  })
  const bus = openBus(peer.port)
  for (const address of [5, 6, 7]) expect(await bus.read(at(address))).toEqual(words(address))
  expect(peer.connections()).toBe(1)
})

test('garbage makes one reading BAD, and the next is read over a new connection', async () => {
  let garbage = true
  const peer = await device((r) => {
    r.socket.write(garbage ? Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') : reply(r, 1))
    garbage = false
  })
  const bus = openBus(peer.port)
  expect(await bus.read(at(0))).toEqual(bad('bad_reply'))
  expect(await bus.read(at(0))).toEqual(words(1))
})

test('another unit’s reply under our transaction is refused', async () => {
  const peer = await device((r) => r.socket.write(reply({ ...r, unit: r.unit + 1 }, 5)))
  expect(await openBus(peer.port).read(at(0))).toEqual(bad('bad_reply'))
})

test('requests wait for one another: a device is never asked two things at once', async () => {
  let open = 0
  let most = 0
  const peer = await device((r) => {
    most = Math.max(most, ++open)
    setTimeout(() => {
      open--
      r.socket.write(reply(r, r.address))
    }, 5)
  })
  const bus = openBus(peer.port)
  const replies = await Promise.all([1, 2, 3, 4, 5].map((address) => bus.read(at(address))))
  expect(replies).toEqual([1, 2, 3, 4, 5].map((n) => words(n)))
  expect(most).toBe(1)
})

test('without a connection a reading is BAD at once, and good again when the device is back', async () => {
  const port = await freePort()
  const bus = openBus(port, 2000)
  expect(await bus.read(at(1))).toEqual(bad('not_connected'))
  await device((r) => r.socket.write(reply(r, 42)), port)
  await until(async () => expect(await bus.read(at(1))).toEqual(words(42)))
})

test('a device that goes away in the middle of a request is not connected, and its bus comes back', async () => {
  let away = true
  const peer = await device((r) => {
    if (away) r.socket.destroy()
    else r.socket.write(reply(r, 3))
    away = false
  })
  const bus = openBus(peer.port, 2000)
  expect(await bus.read(at(0))).toEqual(bad('not_connected'))
  await until(async () => expect(await bus.read(at(0))).toEqual(words(3)))
})
