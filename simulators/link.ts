import { connect, createServer, isIPv4, type Server, type Socket } from 'node:net'
import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import { Channel, type ChannelSettings } from './link/channel.ts'
import { Connection, type Direction, type DirectionCounters, noTraffic } from './link/connection.ts'
import { LINK_PRESETS, type LinkPreset } from './link/presets.ts'
import { checkLink, type LinkSettings } from './link/settings.ts'
import { startTrouble } from './link/troubles.ts'
import { listen } from './listen.ts'
import { unit } from './noise.ts'

/** A wireless link as a TCP proxy: whoever connects to it reaches the target as over 2.5G. */

type Endpoint = { readonly host: string; readonly port: number }
/** A preset, and what differs from it. */
export type LinkChoice = { readonly preset?: LinkPreset; readonly settings?: Partial<LinkSettings> }
export type LinkOptions = LinkChoice & {
  /** Port 0 takes a free one. */
  readonly listen: Endpoint
  readonly target: Endpoint
  /** The same seed gives the same jitter, stalls and outages, as far as timers allow. */
  readonly seed: number
}
export type LinkDeps = {
  readonly log: Logger
  /** Ms; must not step back. */
  readonly now?: () => number
}

export type LinkCounters = {
  readonly up: DirectionCounters
  readonly down: DirectionCounters
  readonly connections: { readonly accepted: number; readonly alive: number; readonly dead: number }
  /** In the link's buffers, not yet sent. */
  readonly held_bytes: { readonly up: number; readonly down: number }
  readonly stalls: number
  readonly outages: number
}

type State =
  | { readonly at: 'up'; readonly server: Server }
  | { readonly at: 'out'; readonly until: number; readonly timer: NodeJS.Timeout }
  | { readonly at: 'closed' }

const RETRY_MS = 50

/** Opens a link. Without a preset it is `clear`. @throws Fault PORT_TAKEN, ADDRESS_REFUSED, or CONFIG_INVALID for settings that can't be. */
export const openLink = (options: LinkOptions, deps: LinkDeps): Promise<Link> => Link.open(options, deps)

/**
 * One link with one modem. A TCP proxy can lose no packet and answers each connection by itself: a loss shows as the stall that its repetition
 * would be, and a connection is there before its first byte has crossed.
 */
export class Link {
  readonly port: number
  readonly #options: LinkOptions
  readonly #log: Logger
  readonly #now: () => number
  readonly #up: Direction
  readonly #down: Direction
  readonly #connections = new Set<Connection>()
  #settings: LinkSettings
  #state: State
  #endTroubles: () => void
  #accepted = 0
  #stalls = 0
  #outages = 0
  #address = 1

  private constructor(options: LinkOptions, deps: LinkDeps, at: { server: Server; port: number; settings: LinkSettings }) {
    this.port = at.port
    this.#options = options
    this.#log = deps.log.child({ link: at.port })
    this.#now = deps.now ?? (() => performance.now())
    this.#settings = at.settings
    this.#up = this.#direction('up')
    this.#down = this.#direction('down')
    this.#state = { at: 'up', server: at.server }
    this.#endTroubles = this.#startTroubles()
    this.#serve(at.server)
  }

  static async open(options: LinkOptions, deps: LinkDeps): Promise<Link> {
    const settings = chosen(options, LINK_PRESETS.clear)
    const server = newServer()
    const port = await listen(server, options.listen, 'choose another port for the link, or 0 for a free one')
    return new Link(options, deps, { server, port, settings })
  }

  get settings(): LinkSettings {
    return this.#settings
  }

  /** From the next packet on. A preset replaces all settings, settings alone only themselves. @throws Fault CONFIG_INVALID. */
  set(choice: LinkChoice): void {
    this.#settings = chosen(choice, this.#settings)
    this.#up.channel.set(channelOf(this.#settings, 'up'))
    this.#down.channel.set(channelOf(this.#settings, 'down'))
    this.#endTroubles()
    this.#endTroubles = this.#startTroubles()
    this.#log.info(this.#settings, 'link set')
  }

  /** Nothing passes in either direction for so long; then it goes on where it was. */
  stall(ms: number): void {
    this.#stalls += 1
    this.#log.debug({ ms }, 'link stalls')
    this.#up.channel.stall(ms)
    this.#down.channel.stall(ms)
  }

  /** Connections are reset, and new ones refused for so long. */
  outage(ms: number): void {
    const state = this.#state
    if (state.at === 'closed') return
    const until = Math.max(this.#now() + ms, state.at === 'out' ? state.until : 0)
    if (state.at === 'out') clearTimeout(state.timer)
    else state.server.close()
    this.#outages += 1
    this.#log.info({ ms }, 'link out')
    this.#state = { at: 'out', until, timer: setTimeout(() => void this.#comeBack(), until - this.#now()) }
    for (const connection of this.#connections) connection.reset()
  }

  /** Every connection that is there dies: bytes vanish, nobody gets a FIN or RST. New ones work. */
  killHalfOpen(): void {
    this.#log.info({ connections: this.#connections.size }, 'connections die half-open')
    for (const connection of this.#connections) connection.die()
  }

  /** The modem has a new address: as {@link killHalfOpen}, and a target on loopback sees new connections come from another address. */
  changeAddress(): void {
    this.killHalfOpen()
    this.#address = (this.#address % 250) + 1
  }

  counters(): LinkCounters {
    const states = [...this.#connections].map((c) => c.state)
    return {
      up: { ...this.#up.counters },
      down: { ...this.#down.counters },
      connections: {
        accepted: this.#accepted,
        alive: states.filter((s) => s === 'alive').length,
        dead: states.filter((s) => s === 'dead').length,
      },
      held_bytes: { up: this.#up.channel.held_bytes, down: this.#down.channel.held_bytes },
      stalls: this.#stalls,
      outages: this.#outages,
    }
  }

  async close(): Promise<void> {
    const state = this.#state
    this.#state = { at: 'closed' }
    this.#endTroubles()
    this.#up.channel.close()
    this.#down.channel.close()
    for (const connection of this.#connections) connection.destroy()
    if (state.at === 'out') clearTimeout(state.timer)
    if (state.at === 'up') await new Promise((resolve) => state.server.close(resolve))
  }

  async #comeBack(): Promise<void> {
    const before = this.#state
    if (before.at !== 'out') return
    const server = newServer()
    try {
      await listen(
        server,
        { host: this.#options.listen.host, port: this.port },
        'free the port: a link listens there again after its outage',
      )
    } catch (error) {
      if (this.#state !== before) return
      this.#log.warn({ error: messageOf(error) }, 'link can’t listen again yet')
      this.#state = { ...before, timer: setTimeout(() => void this.#comeBack(), RETRY_MS) }
      return
    }
    // While it was beginning to listen the link may have been closed, or put out again.
    if (this.#state !== before) {
      server.close()
      return
    }
    this.#serve(server)
    this.#state = { at: 'up', server }
    this.#log.info('link up again')
  }

  #serve(server: Server): void {
    server.on('connection', (near) => this.#accept(near))
    server.on('error', (error) => this.#log.error({ error: error.message }, 'link'))
  }

  #accept(near: Socket): void {
    this.#accepted += 1
    const far = connect({ ...this.#options.target, ...this.#source(), allowHalfOpen: true, noDelay: true })
    const connection: Connection = new Connection(near, far, {
      up: this.#up,
      down: this.#down,
      now: this.#now,
      idleDeath_ms: () => this.#settings.idle_death_ms,
      closed: () => this.#connections.delete(connection),
    })
    this.#connections.add(connection)
  }

  /** Loopback is 127.0.0.0/8: a modem can have another address there without any set-up. */
  #source(): { localAddress?: string } {
    const { host } = this.#options.target
    return this.#address > 1 && isIPv4(host) && host.startsWith('127.') ? { localAddress: `127.0.0.${this.#address}` } : {}
  }

  #direction(way: 'up' | 'down'): Direction {
    let packets = 0
    const chance = (): number => unit(this.#options.seed, way, packets++)
    return { channel: new Channel(channelOf(this.#settings, way), { now: this.#now, chance }), counters: noTraffic() }
  }

  #startTroubles(): () => void {
    const { stall_every_ms, stall_ms, outage_every_ms, outage_ms } = this.#settings
    const { seed } = this.#options
    const ends = [
      startTrouble({ every_ms: stall_every_ms, seed, name: 'stall', strike: () => this.stall(stall_ms) }),
      startTrouble({ every_ms: outage_every_ms, seed, name: 'outage', strike: () => this.outage(outage_ms) }),
    ]
    return () => {
      for (const end of ends) end()
    }
  }
}

const newServer = (): Server => createServer({ allowHalfOpen: true, noDelay: true })

function chosen({ preset, settings }: LinkChoice, base: LinkSettings): LinkSettings {
  return checkLink({ ...(preset === undefined ? base : LINK_PRESETS[preset]), ...settings })
}

function channelOf(s: LinkSettings, way: 'up' | 'down'): ChannelSettings {
  const { latency_ms, jitter_ms, buffer_bytes } = s
  return { bits_per_s: way === 'up' ? s.up_bits_per_s : s.down_bits_per_s, latency_ms, jitter_ms, buffer_bytes }
}
