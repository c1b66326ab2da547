/** Many clients of a live connection in a process of their own, so that what they cost is not counted as the server's; and the plain broadcast to compare with. */
import { createServer } from 'node:http'
import { inflateSync } from 'node:zlib'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'

const BROADCAST_BYTES = 32 * 1024
const CONNECT_TOGETHER = 50
const clients = []

/** Binary, once a second, to all: the least that socket.io does for so many. */
function serve() {
  const server = createServer()
  const live = new Server(server, { serveClient: false, perMessageDeflate: false })
  const bytes = Buffer.alloc(BROADCAST_BYTES, 7)
  setInterval(() => live.emit('packed', { kind: 'state', at: Date.now(), full: false, bytes }), 1000)
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
}

function openOne({ url, cookie, packed, reads }) {
  const socket = io(url, {
    ...{ transports: ['websocket'], forceNew: true, reconnectionDelay: 500, reconnectionDelayMax: 2000 },
    ...(cookie ? { extraHeaders: { cookie } } : {}),
  })
  const client = { socket, reads, delays: [], ages: [], bytes: 0, messages: 0, lost: 0, backAt: null, states: new Map() }
  const took = (message, bytes) => {
    client.messages++
    client.bytes += bytes
    if (!message.full) client.delays.push(Date.now() - message.at)
  }
  const takeStates = ({ full, gates }) => {
    if (full) client.backAt = Date.now()
    for (const gate of gates) {
      const t = gate.metrics.level_up.t
      if (!full) client.ages.push(Date.now() - t)
      client.states.set(gate.gate, { t, v: gate.metrics.level_up.v })
    }
  }
  socket.on('packed', (message) => {
    took(message, message.bytes.byteLength)
    if (message.full && message.kind === 'state') client.backAt = Date.now()
    if (client.reads && message.kind === 'state') takeStates(JSON.parse(inflateSync(message.bytes).toString()))
  })
  // Reading half a megabyte for each client would measure the crowd; one that is not read is counted by its length on the wire alone.
  socket.on('state', (message) => {
    took(message, 0)
    if (message.full) client.backAt = Date.now()
    if (client.reads) takeStates(message)
  })
  socket.on('disconnect', () => {
    client.lost++
    client.backAt = null
  })
  socket.on('connect', () => {
    if (cookie) socket.emit('watch', packed ? { packed: true } : {})
  })
  clients.push(client)
  return new Promise((resolve) => socket.once('connect', resolve))
}

const DEEDS = {
  serve,
  open: async ({ count, readers, ...how }) => {
    for (let i = 0; i < count; i += CONNECT_TOGETHER)
      await Promise.all(
        Array.from({ length: Math.min(CONNECT_TOGETHER, count - i) }, (_, j) => openOne({ ...how, reads: i + j < readers })),
      )
  },
  forget: () => {
    for (const client of clients) Object.assign(client, { delays: [], ages: [], bytes: 0, messages: 0 })
  },
  /** The first client’s cable is as if cut: nothing is read from it. */
  pause: () => clients[0].socket.io.engine.transport.ws._socket.pause(),
  resume: () => clients[0].socket.io.engine.transport.ws._socket.resume(),
}
const count = () => ({ connected: clients.filter((c) => c.socket.connected).length, back: clients.map((c) => c.backAt) })
const report = () => ({
  delays: clients.flatMap((c) => c.delays),
  ages: clients.flatMap((c) => c.ages),
  connected: clients.filter((c) => c.socket.connected).length,
  back: clients.map((c) => c.backAt),
  bytes: clients.map((c) => c.bytes),
  messages: clients.map((c) => c.messages),
  lost: clients.reduce((n, c) => n + c.lost, 0),
  states: clients.filter((c) => c.reads).map((c) => [...c.states]),
})

process.on('message', async ({ do: deed, ...rest }) => {
  await DEEDS[deed]?.(rest)
  process.send({ done: deed, ...(deed === 'report' ? report() : deed === 'count' ? count() : {}) })
})
process.on('disconnect', () => process.exit(0))
