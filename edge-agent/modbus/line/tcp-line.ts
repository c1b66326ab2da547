import { connect, type Socket } from 'node:net'
import type { Logger } from 'pino'
import { backOffMs, type Line, type LineEvents } from './line.ts'

export type TcpAddress = { readonly host: string; readonly port: number /** For a connection. */; readonly timeout_ms: number }

type State =
  | { readonly at: 'opening'; readonly socket: Socket; readonly done: Promise<void> }
  | { readonly at: 'open'; readonly socket: Socket }
  | { readonly at: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly at: 'closed' }

/** A TCP connection that we make. */
export class TcpLine implements Line {
  readonly #address: TcpAddress
  readonly #events: LineEvents
  readonly #log: Logger
  #state: State = { at: 'closed' }
  /** Connections that were refused or lost since bytes last came. */
  #failures = 0

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
    return this.#state.at === 'open' || this.#state.at === 'opening' ? this.#state.at : 'down'
  }

  async opened(): Promise<void> {
    if (this.#state.at === 'opening') await this.#state.done
  }

  send(bytes: Buffer): void {
    if (this.#state.at === 'open') this.#state.socket.write(bytes)
  }

  wireMs(): number {
    return 0
  }

  renew(): void {
    if (this.#state.at !== 'open') return
    const { socket } = this.#state
    socket.removeAllListeners('data')
    this.#connect()
    socket.destroy()
  }

  close(): void {
    const state = this.#state
    this.#state = { at: 'closed' }
    if (state.at === 'waiting') clearTimeout(state.timer)
    if (state.at === 'opening' || state.at === 'open') state.socket.destroy()
  }

  #connect(): void {
    const { host, port, timeout_ms } = this.#address
    const socket = connect({ host, port, noDelay: true })
    const done = new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), timeout_ms)
      socket.once('connect', () => {
        clearTimeout(timer)
        this.#log.info('connected')
        this.#state = { at: 'open', socket }
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
      if (this.#failures === 0) this.#log.warn({ error: error.message }, 'connection failed')
    })
    socket.on('data', (received: Buffer) => {
      this.#failures = 0
      this.#events.bytes(received)
    })
    this.#state = { at: 'opening', socket, done }
  }

  /** The peer closed, or never answered. */
  #lost(socket: Socket): void {
    const state = this.#state
    if ((state.at !== 'open' && state.at !== 'opening') || state.socket !== socket) return
    const wait_ms = backOffMs(this.#failures)
    this.#failures += 1
    this.#state = { at: 'waiting', timer: setTimeout(() => this.#connect(), wait_ms) }
    if (this.#failures === 1) this.#log.warn({ wait_ms }, 'not connected; trying again until it is')
    this.#events.lost()
  }
}
