import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import modbus from 'modbus-serial'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { tcpBus } from '#test/support/modbus.ts'
import { freePort, until } from '#test/support/servers.ts'
import { Bus, type BusReply } from './bus.ts'
import type { ReadRequest } from './request.ts'

const log = pino({ level: 'silent' })
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const at = (address: number, unit = 1): ReadRequest => ({ unit, space: 'holding', address, words: 1 })
const words = (...values: number[]): BusReply => ({ kind: 'words', words: values })
const bad = (reason: string): unknown => ({ kind: 'bad', reason })

function openBus(port: number, timeout_ms = 150): Bus {
  const bus = Bus.open(tcpBus(port, timeout_ms), log)
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

test('a reply that comes after its time is not taken for the next one, and no connection is given up for it', async () => {
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
  expect(peer.connections()).toBe(1)
  expect(bus.stats).toEqual({ requests: 21, timeouts: 1, bad_replies: 0, foreign_frames: 1 })
})

test('one silent unit costs the others behind the gateway no connection; a gateway that says nothing at all is connected anew', async () => {
  let dead = false
  const peer = await device((r) => {
    if (!dead && r.unit !== 9) r.socket.write(reply(r, r.address))
  })
  const bus = openBus(peer.port, 60)
  for (let i = 0; i < 5; i++) {
    expect(await bus.read(at(1, 9))).toEqual(bad('timeout'))
    expect(await bus.read(at(1, 2))).toEqual(words(1))
  }
  expect(peer.connections()).toBe(1)
  dead = true
  for (let i = 0; i < 3; i++) expect(await bus.read(at(1, 2))).toEqual(bad('timeout'))
  dead = false
  await until(async () => expect(await bus.read(at(1, 2))).toEqual(words(1)))
  expect(peer.connections()).toBe(2)
})

test('registers and coils of a real Modbus TCP server are written, and a refused write is told from one that nobody can be sure of', async () => {
  const port = await freePort()
  const held = new Map<number, number>()
  const coils = new Map<number, boolean>()
  const server = new modbus.ServerTCP(
    {
      getHoldingRegister: (address: number) => held.get(address) ?? 0,
      setRegister: (address: number, value: number) => {
        if (address >= 100) throw Object.assign(new Error('no such register'), { modbusErrorCode: 2 })
        held.set(address, value)
      },
      setCoil: (address: number, value: boolean) => void coils.set(address, value),
    },
    { host: '127.0.0.1', port, unitID: 255 },
  )
  closers.push(() => new Promise((resolve) => server.close(resolve)))
  await new Promise((resolve) => server.once('initialized', resolve))
  const bus = openBus(port, 2000)
  expect(await bus.write({ unit: 1, write: 'register', address: 10, value: 1250 })).toEqual({ kind: 'written' })
  expect(await bus.write({ unit: 1, write: 'registers', address: 11, values: [4, 7] })).toEqual({ kind: 'written' })
  expect(await bus.write({ unit: 1, write: 'coil', address: 3, value: 1 })).toEqual({ kind: 'written' })
  expect(await bus.write({ unit: 1, write: 'coils', address: 4, values: [0, 1, 1] })).toEqual({ kind: 'written' })
  expect(await bus.read({ unit: 1, space: 'holding', address: 10, words: 3 })).toEqual(words(1250, 4, 7))
  expect([...coils]).toEqual([
    [3, true],
    [4, false],
    [5, true],
    [6, true],
  ])
  expect(await bus.write({ unit: 1, write: 'register', address: 100, value: 1 })).toEqual({
    kind: 'refused',
    reason: 'exception_illegal_address',
  })
  const silent = await device(() => undefined)
  expect(await openBus(silent.port, 60).write({ unit: 1, write: 'register', address: 1, value: 1 })).toEqual({
    kind: 'unknown',
    reason: 'timeout',
  })
  const nobody = openBus(await freePort(), 60)
  expect(await nobody.write({ unit: 1, write: 'register', address: 1, value: 1 })).toEqual({ kind: 'not_sent', reason: 'not_connected' })
})

test('a write goes before the reads that wait, and writes keep their order', async () => {
  const seen: number[] = []
  const port = await freePort()
  const server = new modbus.ServerTCP(
    {
      getHoldingRegister: async (address: number) => {
        seen.push(address)
        return await sleep(5, address)
      },
      setRegister: (address: number) => void seen.push(address),
    },
    { host: '127.0.0.1', port, unitID: 255 },
  )
  closers.push(() => new Promise((resolve) => server.close(resolve)))
  await new Promise((resolve) => server.once('initialized', resolve))
  const bus = openBus(port, 2000)
  await bus.read(at(0))
  const reads = [1, 2, 3].map((address) => bus.read(at(address)))
  const writes = [101, 102].map((address) => bus.write({ unit: 1, write: 'register', address, value: 1 }))
  await Promise.all([...reads, ...writes])
  expect(seen).toEqual([0, 1, 101, 102, 2, 3])
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
