import { connect, type Socket } from 'node:net'
import type { Logger } from 'pino'
import type { Line, LineEvents } from './line.ts'
import { LineLife } from './line-life.ts'

export type TcpAddress = { readonly host: string; readonly port: number /** For a connection. */; readonly timeout_ms: number }

/** A TCP connection that we make. */
export class TcpLine implements Line {
  readonly #address: TcpAddress
  readonly #events: LineEvents
  readonly #log: Logger
  readonly #life = new LineLife<Socket>(() => this.#connect())

  private constructor(address: TcpAddress, events: LineEvents, log: Logger) {
    this.#address = address
    this.#events = events
    this.#log = log
  }

  static open(address: TcpAddress, events: LineEvents, log: Logger): TcpLine {
    const line = new TcpLine(address, events, log)
    line.#connect()
    return line
  }

  get state(): Line['state'] {
    return this.#life.state
  }

  opened(): Promise<void> {
    return this.#life.opened()
  }

  send(bytes: Buffer): void {
    this.#life.connection?.write(bytes)
  }

  wireMs(): number {
    return 0
  }

  renew(): void {
    const socket = this.#life.connection
    if (!socket) return
    socket.removeAllListeners('data')
    this.#connect()
    socket.destroy()
  }

  close(): void {
    this.#life.close()?.destroy()
  }

  #connect(): void {
    const { host, port, timeout_ms } = this.#address
    const socket = connect({ host, port, noDelay: true })
    const done = new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), timeout_ms)
      socket.once('connect', () => {
        clearTimeout(timer)
        this.#log.info('connected')
        this.#life.isOpen(socket)
        resolve()
      })
      socket.once('close', () => {
        clearTimeout(timer)
        this.#lost(socket)
        resolve()
      })
    })
    socket.on('error', (error) => {
      // `close` follows and does the rest.
      if (this.#life.failures === 0) this.#log.warn({ error: error.message }, 'connection failed')
    })
    socket.on('data', (received: Buffer) => {
      // A gateway that takes connections and answers nothing does not work.
      this.#life.works()
      this.#events.bytes(received)
    })
    this.#life.begins(done, socket)
  }

  /** The peer closed, or never answered. */
  #lost(socket: Socket): void {
    if (!this.#life.has(socket)) return
    const wait_ms = this.#life.lost()
    if (this.#life.failures === 1) this.#log.warn({ wait_ms }, 'not connected; trying again until it is')
    this.#events.lost()
  }
}
