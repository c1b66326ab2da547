import type { Socket } from 'node:net'
import type { Channel, Packet, Source } from './channel.ts'

/** What went one way through a link, all connections together. */
export type DirectionCounters = {
  /** Payload that the link took. */
  taken_bytes: number
  /** Payload that arrived. */
  delivered_bytes: number
  /** Payload that was lost in a dead or a cut connection. */
  vanished_bytes: number
  /** Packets, and what they cost on the wire with their headers; acknowledgements without data are not counted. */
  packets: number
  wire_bytes: number
}
export const noTraffic = (): DirectionCounters => ({ taken_bytes: 0, delivered_bytes: 0, vanished_bytes: 0, packets: 0, wire_bytes: 0 })

/** IPv4 and TCP without options. */
const HEADER_BYTES = 40
/** What fits into an MTU of 1500. */
const MOST_PAYLOAD = 1460

/** One way through the link: its channel, and what has gone through it. */
export type Direction = { readonly channel: Channel; readonly counters: DirectionCounters }
export type ConnectionDeps = {
  readonly up: Direction
  readonly down: Direction
  readonly now: () => number
  /** 0 never. */
  readonly idleDeath_ms: () => number
  readonly closed: () => void
}

/** `dead` is half-open: both ends believe in it, no byte passes, and nobody is told. */
type State = 'alive' | 'dead' | 'over'

/** One TCP connection over the link: `near` is who connected, `far` the target. */
export class Connection {
  readonly #near: Socket
  readonly #far: Socket
  readonly #deps: ConnectionDeps
  readonly #release: () => void
  #state: State = 'alive'
  #lastPassed: number

  constructor(near: Socket, far: Socket, deps: ConnectionDeps) {
    this.#near = near
    this.#far = far
    this.#deps = deps
    this.#lastPassed = deps.now()
    const releases = [this.#carry(near, far, deps.up), this.#carry(far, near, deps.down)]
    this.#release = () => {
      for (const release of releases) release()
    }
    for (const socket of [near, far]) socket.once('close', () => this.#closedOn())
  }

  get state(): State {
    return this.#state
  }

  /** From now on bytes vanish in both directions, and neither side is told that the other has gone. */
  die(): void {
    if (this.#state !== 'alive') return
    this.#state = 'dead'
    this.#deps.up.channel.wake()
    this.#deps.down.channel.wake()
  }

  /** Both sides are told at once by RST. A dead connection is told nothing. */
  reset(): void {
    if (this.#state !== 'alive') return
    this.#state = 'over'
    cut(this.#near)
    cut(this.#far)
  }

  /** For the end of the link: whatever state it is in. */
  destroy(): void {
    this.#state = 'over'
    this.#near.destroy()
    this.#far.destroy()
  }

  #closedOn(): void {
    if (!this.#near.closed || !this.#far.closed) return
    this.#state = 'over'
    this.#release()
    this.#deps.closed()
  }

  /** @returns what takes this way out of the channel. */
  #carry(source: Socket, sink: Socket, { channel, counters }: Direction): () => void {
    let last: 'none' | 'fin' | 'rst' = 'none'
    const lane: Source = {
      take: () => {
        if (this.#isDead()) return this.#vanish(source, counters)
        // The receiver does not read: what it does not take must stay with the sender.
        if (last !== 'rst' && sink.writableNeedDrain) return null
        // Without a length for an empty stream: that is what lets it end.
        const payload = source.read(Math.min(MOST_PAYLOAD, source.readableLength) || undefined) as Buffer | null
        if (payload) {
          this.#lastPassed = this.#deps.now()
          counters.taken_bytes += payload.length
          return count(counters, payload.length, () => this.#arrive(payload, sink, counters))
        }
        if (last === 'none') return null
        const passOn = last === 'fin' ? () => sink.end() : () => cut(sink)
        last = 'none'
        return count(counters, 0, () => {
          if (this.#state === 'alive') passOn()
        })
      },
    }
    const wake = (): void => channel.wake()
    source.on('readable', wake)
    sink.on('drain', wake)
    source.once('end', () => {
      last = 'fin'
      wake()
    })
    source.once('close', (failed: boolean) => {
      if (failed || !source.readableEnded) last = 'rst'
      wake()
    })
    // `close` follows and says the rest.
    source.on('error', () => undefined)
    channel.add(lane)
    return () => channel.remove(lane)
  }

  #isDead(): boolean {
    const idleDeath_ms = this.#deps.idleDeath_ms()
    // Nobody can tell a connection that has died from one on which nothing is said: it is enough to look when something is.
    if (this.#state === 'alive' && idleDeath_ms > 0 && this.#deps.now() - this.#lastPassed >= idleDeath_ms) this.#state = 'dead'
    return this.#state !== 'alive'
  }

  #vanish(source: Socket, counters: DirectionCounters): null {
    for (let bytes = source.read() as Buffer | null; bytes !== null; bytes = source.read() as Buffer | null) {
      counters.taken_bytes += bytes.length
      counters.vanished_bytes += bytes.length
    }
    return null
  }

  #arrive(payload: Buffer, sink: Socket, counters: DirectionCounters): void {
    if (this.#state !== 'alive' || !sink.writable) {
      counters.vanished_bytes += payload.length
      return
    }
    counters.delivered_bytes += payload.length
    sink.write(payload)
  }
}

function count(counters: DirectionCounters, payload_bytes: number, deliver: () => void): Packet {
  const bytes = payload_bytes + HEADER_BYTES
  counters.packets += 1
  counters.wire_bytes += bytes
  return { bytes, deliver }
}

function cut(socket: Socket): void {
  if (socket.destroyed) return
  // A socket that is still connecting would first wait for its connection.
  if (socket.connecting) socket.destroy()
  else socket.resetAndDestroy()
}
