import { createServer, type Server, type Socket } from 'node:net'
import type { Logger } from 'pino'
import { Fault, messageOf, systemCode } from '#contract/fault.ts'
import type { Line, LineEvents } from './line.ts'

/** Where a DTU dials in, and how it says which one it is. */
export type DtuAddress = {
  readonly listen_host: string
  readonly listen_port: number
  /** What it sends first; null where it sends nothing and is the only one on the port. */
  readonly registration: Buffer | null
}

/** Strangers that have not said who they are: so many, so long, so much. */
const MOST_STRANGERS = 64
const STRANGER_MS = 60_000
const MOST_STRANGER_BYTES = 1024

/** Listens for DTUs: modems that dial in and then pass on what their serial port hears. Several buses may share a port. */
export class DtuListeners {
  readonly #log: Logger
  readonly #listeners = new Map<string, Listener>()

  constructor(log: Logger) {
    this.#log = log
  }

  /** The line of one DTU: open while that one is dialled in. */
  line(address: DtuAddress, events: LineEvents, log: Logger): Line {
    const key = `${address.listen_host}:${address.listen_port}`
    const listener = this.#listeners.get(key) ?? new Listener(address, this.#log.child({ listen: key }))
    this.#listeners.set(key, listener)
    const line = new DtuLine(events, log, () => {
      listener.remove(line)
      if (listener.empty) this.#listeners.delete(key)
    })
    listener.add(line, address.registration)
    return line
  }

  /** Resolves when every port listens. @throws Fault PORT_TAKEN, ADDRESS_REFUSED */
  async listening(): Promise<void> {
    await Promise.all([...this.#listeners.values()].map((listener) => listener.listening))
  }
}

/** The connection of the DTU that has registered, if there is one now. */
class DtuLine implements Line {
  readonly #events: LineEvents
  readonly #log: Logger
  readonly #closed: () => void
  #socket: Socket | null = null

  constructor(events: LineEvents, log: Logger, closed: () => void) {
    this.#events = events
    this.#log = log
    this.#closed = closed
  }

  get state(): Line['state'] {
    return this.#socket ? 'open' : 'down'
  }

  opened(): Promise<void> {
    return Promise.resolve()
  }

  send(bytes: Buffer): void {
    this.#socket?.write(bytes)
  }

  wireMs(): number {
    return 0
  }

  /** The DTU dials again by itself. */
  renew(): void {
    this.#socket?.destroy()
  }

  close(): void {
    const socket = this.#socket
    this.#socket = null
    socket?.destroy()
    this.#closed()
  }

  /** A DTU that dials again takes the place of its old connection, which may have died half-open. */
  take(socket: Socket, first: Buffer): void {
    const before = this.#socket
    this.#socket = socket
    this.#log.info({ from: socket.remoteAddress }, 'DTU registered')
    if (before) {
      before.destroy()
      this.#events.lost()
    }
    socket.on('data', (received: Buffer) => {
      if (this.#socket === socket) this.#events.bytes(received)
    })
    socket.once('close', () => {
      if (this.#socket !== socket) return
      this.#socket = null
      this.#log.warn('DTU gone')
      this.#events.lost()
    })
    if (first.length > 0) this.#events.bytes(first)
  }
}

class Listener {
  readonly #log: Logger
  readonly #server: Server
  readonly #lines = new Map<DtuLine, Buffer | null>()
  readonly #strangers = new Set<Socket>()
  readonly listening: Promise<void>

  constructor({ listen_host: host, listen_port: port }: DtuAddress, log: Logger) {
    this.#log = log
    this.#server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, (socket) => this.#meet(socket))
    this.listening = new Promise((resolve, reject) => {
      this.#server.once('error', (cause) => reject(refusal(cause, host, port)))
      this.#server.listen(port, host, () => {
        this.#server.removeAllListeners('error')
        this.#server.on('error', (error) => log.error({ error: error.message }, 'DTU listener'))
        resolve()
      })
    })
    // Whoever waits for `listening` is told; nobody need.
    this.listening.catch((error: unknown) => log.error({ error: messageOf(error) }, 'no DTU can dial in'))
  }

  get empty(): boolean {
    return this.#lines.size === 0
  }

  add(line: DtuLine, registration: Buffer | null): void {
    this.#lines.set(line, registration)
  }

  remove(line: DtuLine): void {
    this.#lines.delete(line)
    if (!this.empty) return
    this.#server.close()
    for (const socket of this.#strangers) socket.destroy()
  }

  #meet(socket: Socket): void {
    socket.on('error', (error) => this.#log.debug({ error: error.message }, 'DTU connection'))
    const [only] = this.#lines.size === 1 ? this.#lines : []
    if (only && only[1] === null) only[0].take(socket, Buffer.alloc(0))
    else if (this.#strangers.size >= MOST_STRANGERS) socket.destroy()
    else this.#hear(socket)
  }

  #hear(socket: Socket): void {
    this.#strangers.add(socket)
    const timer = setTimeout(() => socket.destroy(), STRANGER_MS)
    let heard: Buffer = Buffer.alloc(0)
    const listen = (received: Buffer): void => {
      heard = Buffer.concat([heard, received])
      const known = this.#whose(heard)
      if (known) {
        clearTimeout(timer)
        this.#strangers.delete(socket)
        socket.off('data', listen)
        known.line.take(socket, known.rest)
      } else if (heard.length > MOST_STRANGER_BYTES) socket.destroy()
    }
    socket.on('data', listen)
    socket.once('close', () => {
      clearTimeout(timer)
      if (this.#strangers.delete(socket)) this.#log.warn({ from: socket.remoteAddress }, 'a connection without a known registration packet')
    })
  }

  /** checkEdgeSettings sees to it that no registration is part of another. */
  #whose(heard: Buffer): { line: DtuLine; rest: Buffer } | null {
    for (const [line, packet] of this.#lines) {
      const at = packet ? heard.indexOf(packet) : -1
      if (packet && at >= 0) return { line, rest: heard.subarray(at + packet.length) }
    }
    return null
  }
}

function refusal(cause: Error, host: string, port: number): Fault {
  if (systemCode(cause) === 'EADDRINUSE')
    return new Fault('PORT_TAKEN', `port ${port} on ${host} is in use`, 'give listen_port a free port', { cause })
  const what = `${host}:${port} can't be listened on: ${messageOf(cause)}`
  return new Fault('ADDRESS_REFUSED', what, 'give listen_host an address of this machine and listen_port a port above 1023', { cause })
}
