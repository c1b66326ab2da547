import { connect, type Socket } from 'node:net'
import type { Logger } from 'pino'
import { assertNever } from '#contract/fault.ts'
import type { BadReason } from '#contract/reading.ts'
import { encodeRead, nextFrame, type ReadRequest, readReply } from './frame.ts'

export type BusAddress = {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Longest wait for a connection or for one reply. */
  readonly timeout_ms: number
}

export type BusReply = { readonly kind: 'words'; readonly words: readonly number[] } | { readonly kind: 'bad'; readonly reason: BadReason }

type State =
  | { readonly at: 'opening'; readonly socket: Socket; readonly done: Promise<void> }
  | { readonly at: 'open'; readonly socket: Socket }
  | { readonly at: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly at: 'ended' }

type Pending = { readonly request: ReadRequest; readonly transaction: number; readonly settle: (reply: BusReply) => void }

const BACKOFF_FIRST_MS = 250
const BACKOFF_MAX_MS = 30_000
const bad = (reason: BadReason): BusReply => ({ kind: 'bad', reason })

/**
 * One Modbus TCP connection with one queue: a request goes out when the reply to the last one came, or never will.
 * After a timeout the connection is dropped, so that a late reply reaches nobody; besides, a reply must name our transaction.
 * It connects by itself, in the background; while there is no connection a read is BAD `not_connected` at once.
 */
export class Bus {
  readonly #address: BusAddress
  readonly #log: Logger
  #state: State = { at: 'ended' }
  #pending: Pending | null = null
  #queue: Promise<unknown> = Promise.resolve()
  #transaction = 0
  /** Connections that were refused or lost since the last reply. */
  #failures = 0

  private constructor(address: BusAddress, log: Logger) {
    this.#address = address
    this.#log = log
  }

  static open(address: BusAddress, log: Logger): Bus {
    const bus = new Bus(address, log.child({ bus: address.name }))
    bus.#connect()
    return bus
  }

  /** Never throws: what went wrong is the reply's reason. */
  async read(request: ReadRequest): Promise<BusReply> {
    const reply = this.#queue.then(() => this.#exchange(request))
    this.#queue = reply
    return await reply
  }

  close(): void {
    const state = this.#state
    this.#state = { at: 'ended' }
    if (state.at === 'waiting') clearTimeout(state.timer)
    if (state.at === 'opening' || state.at === 'open') state.socket.destroy()
    this.#pending?.settle(bad('not_connected'))
  }

  async #exchange(request: ReadRequest): Promise<BusReply> {
    if (this.#state.at === 'opening') await this.#state.done
    if (this.#state.at !== 'open') return bad('not_connected')
    const { socket } = this.#state
    const transaction = this.#nextTransaction()
    return await new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#log.debug({ unit: request.unit, address: request.address }, 'no reply in time')
        this.#pending?.settle(bad('timeout'))
        this.#reconnect(socket)
      }, this.#address.timeout_ms)
      const settle = (reply: BusReply): void => {
        clearTimeout(timer)
        this.#pending = null
        resolve(reply)
      }
      this.#pending = { request, transaction, settle }
      socket.write(encodeRead(request, transaction))
    })
  }

  #nextTransaction(): number {
    this.#transaction = (this.#transaction + 1) & 0xffff
    return this.#transaction
  }

  #connect(): void {
    const socket = connect({ host: this.#address.host, port: this.#address.port, noDelay: true })
    let received: Buffer = Buffer.alloc(0)
    const done = new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), this.#address.timeout_ms)
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
    socket.on('data', (bytes: Buffer) => {
      received = this.#take(socket, received.length === 0 ? bytes : Buffer.concat([received, bytes]))
    })
    this.#state = { at: 'opening', socket, done }
  }

  /** @returns the bytes that are not yet a whole frame. */
  #take(socket: Socket, received: Buffer): Buffer {
    let rest = received
    for (;;) {
      const next = nextFrame(rest)
      switch (next.kind) {
        case 'incomplete':
          return rest
        case 'garbage':
          this.#distrust(socket)
          return Buffer.alloc(0)
        case 'frame':
          rest = next.rest
          if (!this.#settle(next.frame)) {
            this.#distrust(socket)
            return Buffer.alloc(0)
          }
          break
        default:
          assertNever(next)
      }
    }
  }

  /** @returns false when the frame shows that this connection can't be trusted. */
  #settle(frame: Buffer): boolean {
    const pending = this.#pending
    const reply = pending ? readReply(frame, pending.request, pending.transaction) : ({ kind: 'foreign' } as const)
    if (!pending || reply.kind === 'foreign') {
      this.#log.debug('a reply that nobody waits for')
      return true
    }
    if (reply.kind === 'bad' && reply.reason === 'bad_reply') return false
    this.#failures = 0
    pending.settle(reply)
    return true
  }

  #distrust(socket: Socket): void {
    this.#log.warn('the reply is not a Modbus TCP reply to the request; connecting anew')
    this.#pending?.settle(bad('bad_reply'))
    this.#reconnect(socket)
  }

  #reconnect(socket: Socket): void {
    if (this.#state.at !== 'open' || this.#state.socket !== socket) return
    socket.removeAllListeners('data')
    this.#connect()
    socket.destroy()
  }

  /** The peer closed, or never answered. */
  #lost(socket: Socket): void {
    const state = this.#state
    if ((state.at !== 'open' && state.at !== 'opening') || state.socket !== socket) return
    this.#pending?.settle(bad('not_connected'))
    const wait_ms = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** this.#failures)
    this.#failures += 1
    this.#state = { at: 'waiting', timer: setTimeout(() => this.#connect(), wait_ms) }
    if (this.#failures === 1) this.#log.warn({ wait_ms }, 'not connected; trying again until it is')
  }
}
