import { rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { pino } from 'pino'
import { SerialPort } from 'serialport'
import { afterEach, expect, test } from 'vitest'
import { serialPair } from '#test/support/modbus.ts'
import { freePort, tempFolder, until } from '#test/support/servers.ts'
import { Bus, type BusAddress, type BusReply } from './bus.ts'
import { DtuListeners } from './line/dtu-listener.ts'
import { silenceMs } from './line/serial-line.ts'
import type { ReadRequest } from './request.ts'
import { rtuFrame } from './rtu-framing.ts'

const log = pino({ level: 'silent' })
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const at = (address: number, unit = 1): ReadRequest => ({ unit, space: 'holding', address, words: 1 })
const words = (...values: number[]): BusReply => ({ kind: 'words', words: values })
const bad = (reason: string): unknown => ({ kind: 'bad', reason })
const timing = { timeout_ms: 150, pause_ms: 0, late_ms: 400 }

type Wire = { write(bytes: Buffer): unknown; on(event: 'data', listen: (bytes: Buffer) => void): unknown }
type Request = { wire: Wire; unit: number; address: number }
const reply = (r: Request, value = r.address): Buffer => rtuFrame(r.unit, Buffer.from([3, 2, value >> 8, value & 255]))

/** A device at the far end of a wire that does with each read what the test says. */
function device(wire: Wire, answer: (request: Request) => void): void {
  let heard = Buffer.alloc(0)
  wire.on('data', (bytes) => {
    heard = Buffer.concat([heard, bytes])
    for (; heard.length >= 8; heard = heard.subarray(8)) answer({ wire, unit: heard.readUInt8(0), address: heard.readUInt16BE(2) })
  })
}
const honest = (r: Request): unknown => r.wire.write(reply(r))

async function serialServer(answer: (request: Request) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    device(socket, answer)
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  closers.push(() => {
    for (const s of sockets) s.destroy()
    server.close()
  })
  return port
}

function openBus(address: BusAddress, listeners?: DtuListeners): Bus {
  const bus = Bus.open(address, log, listeners)
  closers.push(() => bus.close())
  return bus
}
const overTcp = (port: number, more: Partial<typeof timing> & { heartbeat?: string } = {}): Bus =>
  openBus({ name: 'rtu', transport: 'rtu-over-tcp', host: '127.0.0.1', port, ...timing, ...more })

test('a device on a serial line is read, also when the port comes only later and when it was pulled out meanwhile', async () => {
  const folder = tempFolder('pty')
  closers.push(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'ours')
  const bus = openBus({ name: 'wire', transport: 'serial', path, baud_rate: 9600, parity: 'even', stop_bits: 1, ...timing })
  expect(await bus.read(at(1))).toEqual(bad('not_connected'))
  for (const address of [7, 8]) {
    const pair = await serialPair(folder)
    const far = new SerialPort({ path: pair.theirs, baudRate: 9600 })
    device(far, honest)
    await until(async () => expect(await bus.read(at(address, 3))).toEqual(words(address)))
    await new Promise((resolve) => far.close(resolve))
    await pair.close()
    await until(async () => expect(await bus.read(at(address))).toEqual(bad('not_connected')))
  }
})

test('frames keep the silence of three and a half characters, 1.75 ms from 19200 bit/s on', () => {
  expect(silenceMs({ baud_rate: 9600, parity: 'none', stop_bits: 1 })).toBeCloseTo(3.65, 2)
  expect(silenceMs({ baud_rate: 9600, parity: 'even', stop_bits: 1 })).toBeCloseTo(4.01, 2)
  expect(silenceMs({ baud_rate: 115_200, parity: 'none', stop_bits: 1 })).toBe(1.75)
})

test('an answer that comes after its time is not taken for the next, and other units are read meanwhile', async () => {
  let slow = true
  const port = await serialServer((r) => {
    if (slow && r.unit === 1) setTimeout(() => honest(r), 300)
    else honest(r)
    if (r.unit === 1) slow = false
  })
  const bus = overTcp(port)
  expect(await bus.read(at(7))).toEqual(bad('timeout'))
  expect(bus.isOwed(at(8))).toBe(true)
  expect(bus.isOwed({ ...at(8), space: 'input' })).toBe(false)
  const order: string[] = []
  const late = bus.read(at(8)).then((r) => order.push(`unit 1 ${JSON.stringify(r)}`))
  for (let i = 0; i < 3; i++) order.push(`unit 2 ${JSON.stringify(await bus.read(at(100 + i, 2)))}`)
  await late
  expect(order).toEqual([100, 101, 102].map((n) => `unit 2 ${JSON.stringify(words(n))}`).concat(`unit 1 ${JSON.stringify(words(8))}`))
  expect(bus.stats).toMatchObject({ timeouts: 1 })
})

test('a damaged answer is BAD before the timeout, and two different answers to one question are BAD too', async () => {
  let what: 'damaged' | 'two' | 'twice' = 'damaged'
  const port = await serialServer((r) => {
    const answer = reply(r)
    if (what === 'damaged') answer[3] = (answer[3] ?? 0) ^ 1
    r.wire.write(what === 'damaged' ? answer : Buffer.concat([what === 'two' ? reply(r, 999) : answer, answer]))
  })
  const bus = overTcp(port, { timeout_ms: 20_000, late_ms: 50 })
  expect(await bus.read(at(7))).toEqual(bad('bad_reply'))
  what = 'two'
  expect(await bus.read(at(7))).toEqual(bad('bad_reply'))
  what = 'twice'
  expect(await bus.read(at(7))).toEqual(words(7))
})

test('a heartbeat in the middle of an answer does no harm', async () => {
  const port = await serialServer((r) => {
    const answer = reply(r)
    r.wire.write(answer.subarray(0, 3))
    setTimeout(() => r.wire.write(Buffer.from('PING')), 10)
    setTimeout(() => r.wire.write(answer.subarray(3)), 20)
  })
  const bus = overTcp(port, { heartbeat: 'PING' })
  for (const address of [1, 2, 3]) expect(await bus.read(at(address))).toEqual(words(address))
})

test('DTUs that dial in at one port are told apart by their registration, strangers are not asked, and who dials again is asked there', async () => {
  const listen_port = await freePort()
  const listeners = new DtuListeners(log)
  const dtu = (registration: string): BusAddress => ({
    name: registration,
    transport: 'dtu',
    listen_host: '127.0.0.1',
    listen_port,
    registration,
    ...timing,
    late_ms: 0,
  })
  const [a, b] = [openBus(dtu('SITE-A'), listeners), openBus(dtu('hex:0a0b0c'), listeners)]
  await listeners.listening()
  expect(await a.read(at(1))).toEqual(bad('not_connected'))
  const dial = (first: Buffer, offset: number): Socket => {
    const socket = connect(listen_port, '127.0.0.1', () => {
      // In pieces, as a modem's serial buffer gives them.
      socket.write(first.subarray(0, 2))
      setTimeout(() => socket.write(first.subarray(2)), 20)
    })
    socket.on('error', () => socket.destroy())
    closers.push(() => socket.destroy())
    device(socket, (r) => r.wire.write(reply(r, r.address + offset)))
    return socket
  }
  const stranger = dial(Buffer.from('WHO-AM-I'), 9000)
  dial(Buffer.from('SITE-A'), 100)
  dial(Buffer.from([0x0a, 0x0b, 0x0c]), 200)
  await until(async () => expect(await a.read(at(1))).toEqual(words(101)))
  await until(async () => expect(await b.read(at(1))).toEqual(words(201)))
  dial(Buffer.from('SITE-A'), 300)
  await until(async () => expect(await a.read(at(1))).toEqual(words(301)))
  expect(stranger.destroyed).toBe(false)
})

test('a port that is taken is said before the agent starts', async () => {
  const listen_port = await serialServer(honest)
  const listeners = new DtuListeners(log)
  openBus({ name: 'd', transport: 'dtu', listen_host: '127.0.0.1', listen_port, ...timing }, listeners)
  await expect(listeners.listening()).rejects.toMatchObject({ code: 'PORT_TAKEN' })
})
