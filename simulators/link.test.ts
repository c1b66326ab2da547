import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { freePort, until } from '#test/support/servers.ts'
import { LINK_PRESETS } from './link/presets.ts'
import { checkLink } from './link/settings.ts'
import { type Link, type LinkOptions, openLink } from './link.ts'

const log = pino({ level: 'silent' })
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

type Target = { readonly port: number; readonly sockets: Socket[]; readonly events: string[] }
/** A real server that does with each connection what it is told, and notes what ends a connection. */
async function openTarget(serve: (socket: Socket) => void = () => undefined): Promise<Target> {
  const sockets: Socket[] = []
  const events: string[] = []
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket)
    note(socket, events)
    serve(socket)
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port, sockets, events }
}
function note(socket: Socket, events: string[]): void {
  socket.on('end', () => events.push('end'))
  socket.on('close', () => events.push('close'))
  socket.on('error', (error: NodeJS.ErrnoException) => events.push(error.code ?? 'error'))
}
const echo = (socket: Socket): void => void socket.pipe(socket)

async function open(target: { port: number }, options: Partial<LinkOptions> = {}): Promise<Link> {
  const link = await openLink(
    { listen: { host: '127.0.0.1', port: 0 }, target: { host: '127.0.0.1', port: target.port }, seed: 1, ...options },
    { log },
  )
  cleanups.push(() => link.close())
  return link
}
async function dial(link: Link): Promise<{ socket: Socket; events: string[] }> {
  const socket = connect({ port: link.port, host: '127.0.0.1', noDelay: true })
  const events: string[] = []
  note(socket, events)
  cleanups.push(() => socket.destroy())
  await once(socket, 'connect')
  return { socket, events }
}
/** @returns ms from a byte sent to its echo. */
async function roundTrip(socket: Socket): Promise<number> {
  const start = performance.now()
  socket.write('x')
  await once(socket, 'data')
  return performance.now() - start
}

test('what goes in comes out, byte for byte and in order, over a jittery link in both directions at once', async () => {
  const link = await open(await openTarget(echo), { preset: '4g', settings: { jitter_ms: 40 } })
  const { socket, events } = await dial(link)
  const sent = randomBytes(600_000)
  const back: Buffer[] = []
  socket.on('data', (bytes: Buffer) => back.push(bytes))
  socket.end(sent)
  await once(socket, 'close')
  expect(createHash('sha256').update(Buffer.concat(back)).digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'))
  expect(events).toEqual(['end', 'close'])
  const { up, down, connections } = link.counters()
  for (const way of [up, down]) expect(way).toMatchObject({ taken_bytes: 600_000, delivered_bytes: 600_000, vanished_bytes: 0 })
  expect(up.wire_bytes).toBe(up.taken_bytes + 40 * up.packets)
  await until(async () => expect(link.counters().connections).toEqual({ ...connections, alive: 0, dead: 0 }))
})

test('the bandwidth set is the throughput got, in each direction, and twice as much is twice as fast', async () => {
  const bytes = 40_000
  const seconds = async (settings: { up_bits_per_s: number; down_bits_per_s: number }): Promise<{ up: number; down: number }> => {
    let received = 0
    let upStart = 0
    let upTook = 0
    const target = await openTarget((socket) => {
      socket.on('data', (data) => {
        if (received === 0) upStart = performance.now()
        received += data.length
        if (received === bytes) {
          upTook = performance.now() - upStart
          socket.end(Buffer.alloc(bytes))
        }
      })
    })
    const link = await open(target, { preset: 'clear', settings: { ...settings, buffer_bytes: 20_000 } })
    const { socket } = await dial(link)
    socket.write(Buffer.alloc(bytes))
    let downStart = 0
    socket.on('data', () => {
      if (downStart === 0) downStart = performance.now()
    })
    await once(socket, 'end')
    return { up: upTook / 1000, down: (performance.now() - downStart) / 1000 }
  }
  const slow = await seconds({ up_bits_per_s: 200_000, down_bits_per_s: 400_000 })
  const fast = await seconds({ up_bits_per_s: 400_000, down_bits_per_s: 800_000 })
  for (const [took, bits_per_s] of [
    [slow.up, 200_000],
    [slow.down, 400_000],
    [fast.up, 400_000],
  ] as const) {
    const got = (bytes * 8) / took
    expect(got / bits_per_s).toBeGreaterThan(0.85)
    expect(got / bits_per_s).toBeLessThan(1.15)
  }
  expect(slow.up / fast.up).toBeGreaterThan(1.6)
  expect(slow.up / fast.up).toBeLessThan(2.4)
})

test('a round trip takes the latency twice, and four times as long over a link of four times the latency', async () => {
  const link = await open(await openTarget(echo), { settings: { latency_ms: 60 } })
  const { socket } = await dial(link)
  await roundTrip(socket)
  const short = await roundTrip(socket)
  link.set({ settings: { latency_ms: 240 } })
  const long = await roundTrip(socket)
  expect(short).toBeGreaterThanOrEqual(119)
  expect(long).toBeGreaterThanOrEqual(479)
  expect(long / short).toBeGreaterThan(2)
  expect(long / short).toBeLessThan(8)
})

test('a fast writer waits: the link takes no more than its buffer and a socket’s own', async () => {
  const target = await openTarget((socket) => socket.resume())
  const link = await open(target, { preset: 'gprs', settings: { latency_ms: 0, jitter_ms: 0 } })
  const { socket } = await dial(link)
  socket.write(Buffer.alloc(64 << 20))
  for (let i = 0; i < 10; i++) {
    await sleep(50)
    const { up, held_bytes } = link.counters()
    expect(held_bytes.up).toBeLessThanOrEqual(8192 + 1500)
    // 20 kbit/s are 2500 bytes a second: all but that is in the buffer or with the writer.
    expect(up.taken_bytes).toBeLessThan(8192 + 1500 + 2500)
  }
  // What the kernel does not take for the link stays in the writer.
  expect(socket.writableLength).toBeGreaterThan(40 << 20)
})

test('a receiver that does not read holds its sender back, and nobody else', async () => {
  const target = await openTarget(
    (socket) => void socket.once('data', () => (target.sockets[0] === socket ? socket.pause() : echo(socket))),
  )
  const link = await open(target, { settings: { buffer_bytes: 16_384 } })
  const { socket: deaf } = await dial(link)
  deaf.write(Buffer.alloc(64 << 20))
  await until(async () => expect(target.sockets).toHaveLength(1))
  let taken = -1
  await until(async () => {
    const before = taken
    taken = link.counters().up.taken_bytes
    await sleep(100)
    if (taken === 0 || taken !== before) throw new Error('still flowing')
  })
  // The kernels' buffers are full; nothing of the rest is in the link.
  expect(taken).toBeLessThan(32 << 20)
  expect(link.counters().held_bytes.up).toBe(0)
  const { socket: other } = await dial(link)
  other.write('first')
  await until(async () => expect(target.sockets).toHaveLength(2))
  expect(await roundTrip(other)).toBeGreaterThan(0)
})

test('a connection that dies half-open tells nobody: no FIN, no RST, bytes vanish, and a new one works', async () => {
  const target = await openTarget(echo)
  const link = await open(target, { settings: { latency_ms: 5 } })
  const { socket, events } = await dial(link)
  await roundTrip(socket)
  link.killHalfOpen()
  socket.write('into nothing')
  target.sockets[0]?.write('from nowhere')
  let heard = 0
  for (const end of [socket, target.sockets[0]]) end?.on('data', () => heard++)
  await until(async () => {
    const { up, down } = link.counters()
    expect([up.vanished_bytes, down.vanished_bytes]).toEqual([12, 12])
  })
  await sleep(300)
  expect({ heard, near: events, far: target.events }).toEqual({ heard: 0, near: [], far: [] })
  expect([socket.readyState, target.sockets[0]?.readyState]).toEqual(['open', 'open'])
  expect(link.counters().connections).toEqual({ accepted: 1, alive: 0, dead: 1 })
  // Even that one side gives up reaches the other not at all.
  socket.resetAndDestroy()
  await sleep(200)
  expect(target.events).toEqual([])
  const { socket: next } = await dial(link)
  expect(await roundTrip(next)).toBeGreaterThan(0)
})

test('after a change of address old connections are half-open, and the target sees new ones come from elsewhere', async () => {
  const target = await openTarget(echo)
  const link = await open(target)
  const { socket: old, events } = await dial(link)
  await roundTrip(old)
  link.changeAddress()
  const { socket: next } = await dial(link)
  await roundTrip(next)
  expect(target.sockets.map((s) => s.remoteAddress)).toEqual(['127.0.0.1', '127.0.0.2'])
  old.write('lost')
  await until(async () => expect(link.counters().up.vanished_bytes).toBe(4))
  expect(events).toEqual([])
  expect(link.counters().connections).toEqual({ accepted: 2, alive: 1, dead: 1 })
})

test('in an outage connections are reset and new ones refused; then the link is there again on its port', async () => {
  const target = await openTarget(echo)
  const link = await open(target)
  const { socket, events } = await dial(link)
  await roundTrip(socket)
  link.outage(400)
  await until(async () =>
    expect([events, target.events]).toEqual([
      ['ECONNRESET', 'close'],
      ['ECONNRESET', 'close'],
    ]),
  )
  await expect(dial(link)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await until(async () => {
    const { socket: again } = await dial(link)
    await roundTrip(again)
  })
  expect(link.counters()).toMatchObject({ outages: 1, connections: { alive: 1, dead: 0 } })
})

test('two outages at once last as long as the longer, and a link closed in an outage stays closed', async () => {
  const link = await open(await openTarget(echo))
  link.outage(100)
  link.outage(700)
  await sleep(300)
  await expect(dial(link)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await link.close()
  await sleep(600)
  await expect(dial(link)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('a stall holds everything up and loses nothing', async () => {
  const link = await open(await openTarget(echo))
  const { socket, events } = await dial(link)
  const free = await roundTrip(socket)
  link.stall(400)
  expect((await roundTrip(socket)) / free).toBeGreaterThan(2)
  expect(events).toEqual([])
  expect(link.counters().stalls).toBe(1)
})

test('a connection on which nothing was said for too long has died, and finds out by silence', async () => {
  const clock = { t: 0 }
  const target = await openTarget(echo)
  const link = await openLink(
    {
      listen: { host: '127.0.0.1', port: 0 },
      target: { host: '127.0.0.1', port: target.port },
      seed: 1,
      settings: { idle_death_ms: 300_000 },
    },
    { log, now: () => clock.t + performance.now() },
  )
  cleanups.push(() => link.close())
  const { socket, events } = await dial(link)
  await roundTrip(socket)
  clock.t += 200_000
  await roundTrip(socket)
  clock.t += 301_000
  socket.write('anybody?')
  await until(async () => expect(link.counters().up.vanished_bytes).toBe(8))
  expect(link.counters().connections.dead).toBe(1)
  expect([events, target.events]).toEqual([[], []])
})

test('one side’s end reaches the other as an end, and a reset as a reset', async () => {
  const target = await openTarget((socket) => void socket.on('data', () => undefined))
  const link = await open(target, { settings: { latency_ms: 20 } })
  const { socket: polite } = await dial(link)
  polite.end('bye')
  await until(async () => expect(target.events).toEqual(['end', 'close']))
  const { socket: rude } = await dial(link)
  await until(async () => expect(target.sockets).toHaveLength(2))
  rude.resetAndDestroy()
  await until(async () => expect(target.events).toEqual(['end', 'close', 'ECONNRESET', 'close']))
})

test('a target that is not there resets who connects', async () => {
  const link = await open({ port: await freePort() })
  const { events } = await dial(link)
  await until(async () => expect(events).toEqual(['ECONNRESET', 'close']))
})

test('every preset can be set while the link runs, and nonsense can not', async () => {
  const link = await open(await openTarget(echo), { preset: 'gprs' })
  for (const preset of ['edge', 'bad', '4g', 'gprs', 'clear'] as const) {
    link.set({ preset })
    expect(link.settings).toEqual(checkLink(LINK_PRESETS[preset]))
  }
  link.set({ settings: { jitter_ms: 7 } })
  expect(link.settings).toEqual({ ...LINK_PRESETS.clear, jitter_ms: 7 })
  expect(() => link.set({ settings: { up_bits_per_s: 0 } })).toThrow('up_bits_per_s')
  expect(link.settings.up_bits_per_s).toBe(1e9)
})

test('a port that is taken is named', async () => {
  const target = await openTarget()
  await expect(open(target, { listen: { host: '127.0.0.1', port: target.port } })).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: `port ${target.port} on 127.0.0.1 is in use`,
  })
})
