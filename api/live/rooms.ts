import type { Server as HttpServer, IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import { Server, type Socket } from 'socket.io'
import { Compile } from 'typebox/compile'
import { Fault, messageOf } from '#contract/fault.ts'
import type { CommandMessage } from '#contract/http/command.ts'
import { type ClientToServer, type PackedMessage, type ServerToClient, Watch } from '#contract/http.ts'
import type { LiveState } from '#contract/live.ts'
import { type Reach, reaches, reachOf } from '#contract/may.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Sessions, SignedIn } from '../auth/sessions.ts'
import { passwordChangeNeeded } from '../plugins/session-cookie.ts'
import { problemOf } from '../problem.ts'
import { seesAlarm } from '../routes/v1/alarms/reach.ts'
import type { AlarmList } from './alarm-list.ts'
import { type Audience, Audiences, isDue, isHeld, pack } from './audience.ts'
import { due, markSent, nothingOwed, type Owed, sees, type View } from './batching.ts'
import type { Feed } from './feed.ts'

type Deps = {
  readonly log: Logger
  readonly feed: Pick<Feed, 'states' | 'onChange'>
  readonly alarms: Pick<AlarmList, 'get' | 'present' | 'onChange'>
  readonly sessions: Pick<Sessions, 'find' | 'byHash' | 'onEnd'>
  readonly now: () => UnixMs
  readonly recheckMs: number
  readonly tokenOf: (cookieHeader: string | undefined) => string | undefined
  readonly isCrossSite: (request: IncomingMessage) => boolean
}

type LiveSocket = Socket<ClientToServer, ServerToClient, Record<string, never>, { signedIn?: SignedIn }>
type Client = {
  readonly socket: LiveSocket
  signedIn: SignedIn
  reach: Reach
  view: View | null
  /** Whoever reads packed messages is told with all who see the same, as long as nothing else is owed to them. */
  audience: Audience<Client> | null
  readonly owed: Owed
  owedAlarms: Set<string> | 'all'
}

const TICK_MS = 100
const CONNECT_TIMEOUT_MS = 5000
const MOST_WATCH_BYTES = 1_000_000

const watchRequest = Compile(Watch)

/** The live connections of browsers: each is sent the last state of the gates in its view, never a queue of what has been. */
export class Rooms {
  readonly #deps: Deps
  readonly #io: Server<ClientToServer, ServerToClient, Record<string, never>, { signedIn?: SignedIn }>
  readonly #clients = new Map<string, Client>()
  readonly #timers: NodeJS.Timeout[] = []
  readonly #audiences = new Audiences<Client>()
  #changed = new Set<string>()

  static open(server: HttpServer, deps: Deps): Rooms {
    const rooms = new Rooms(server, deps)
    rooms.#start()
    return rooms
  }

  private constructor(server: HttpServer, deps: Deps) {
    this.#deps = deps
    this.#io = new Server(server, {
      serveClient: false,
      connectTimeout: CONNECT_TIMEOUT_MS,
      maxHttpBufferSize: MOST_WATCH_BYTES,
      // What many are told is packed once. The connection's own compression would do it again for each client: engine.io hands it every frame, asked or not.
      perMessageDeflate: false,
      allowRequest: (request, decide) => decide(null, !deps.isCrossSite(request)),
    })
  }

  get size(): number {
    return this.#clients.size
  }

  /** To everyone who may see this area, at once: progress of a command waits for no tick. */
  command(area: string, message: CommandMessage): void {
    for (const { socket, reach } of this.#clients.values()) if (reaches(reach, area)) socket.emit('command', message)
  }

  /** Lets clients go; the HTTP server itself is its owner's to close. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#io.disconnectSockets(true)
    await this.#io.close()
  }

  #start(): void {
    const { feed, sessions, recheckMs } = this.#deps
    this.#io.use((socket, next) => {
      this.#admit(socket).then(
        () => next(),
        (error: unknown) => next(refusal(error)),
      )
    })
    this.#io.on('connection', (socket) => this.#welcome(socket))
    feed.onChange((gate) => this.#changed.add(gate))
    this.#deps.alarms.onChange((ids) => this.#oweAlarms(ids))
    sessions.onEnd((tokenHash) => this.#dismiss((c) => c.signedIn.tokenHash === tokenHash))
    this.#timers.push(
      setInterval(() => this.#tick(), TICK_MS),
      setInterval(() => void this.#recheck(), recheckMs),
    )
  }

  async #admit(socket: LiveSocket): Promise<void> {
    const token = this.#deps.tokenOf(socket.handshake.headers.cookie)
    const signedIn = token === undefined ? undefined : await this.#deps.sessions.find(token)
    if (!signedIn) throw new Fault('NOT_SIGNED_IN', 'nobody is signed in', 'sign in')
    if (signedIn.person.mustChangePassword) throw passwordChangeNeeded()
    socket.data.signedIn = signedIn
  }

  #welcome(socket: LiveSocket): void {
    const { signedIn } = socket.data
    if (!signedIn) return void socket.disconnect(true)
    const client: Client = {
      socket,
      signedIn,
      reach: reachOf(signedIn.person.grants, 'read'),
      view: null,
      audience: null,
      owed: nothingOwed(),
      owedAlarms: 'all',
    }
    this.#clients.set(socket.id, client)
    socket.on('disconnect', () => {
      this.#clients.delete(socket.id)
      this.#seat(client, 'nowhere')
    })
    socket.on('watch', (watch: unknown, ack: unknown) => {
      const reply = this.#watch(client, watch)
      // The state first: behind the acknowledgement the transport is busy, and the state would wait for the next tick.
      this.#send(client)
      this.#sendAlarms(client)
      if (typeof ack === 'function') ack(reply)
    })
  }

  #watch(client: Client, watch: unknown): { ok: true } | { ok: false; detail: string } {
    if (!watchRequest.Check(watch)) return { ok: false, detail: 'watch takes {gates?: string[], areas?: string[]}' }
    const { gates, areas, packed } = watch
    if (areas && areas.length > 0 && !gates && !areas.some((area) => reaches(client.reach, area))) {
      return { ok: false, detail: `none of these areas may be seen: ${areas.slice(0, 10).join(', ')}` }
    }
    client.view = { gates: gates ? new Set(gates) : null, areas: areas ? new Set(areas) : null }
    this.#seat(client, packed ? 'with those who see the same' : 'nowhere')
    client.owed.full = true
    client.owedAlarms = 'all'
    return { ok: true }
  }

  #seat(client: Client, where: 'with those who see the same' | 'nowhere'): void {
    if (client.audience) this.#audiences.leave(client, client.audience)
    const { view } = client
    client.audience = view && where !== 'nowhere' ? this.#audiences.join(client, { view, reach: client.reach }) : null
  }

  #tick(): void {
    const changed = this.#changed
    this.#changed = new Set()
    const now = this.#deps.now()
    this.#dismiss((c) => c.signedIn.expiresAt <= now)
    if (changed.size > 0) this.#audiences.owe({ gates: changed })
    for (const audience of this.#audiences.all()) this.#tellAll(audience)
    for (const client of this.#clients.values()) {
      // Whether each is in view is judged when it is sent: until then grants may change.
      if (client.view && !client.audience) for (const gate of changed) client.owed.gates.add(gate)
      this.#send(client)
      this.#sendAlarms(client)
    }
  }

  /**
   * One message for all of them who have taken what came before. Whoever has not is owed everything, which is written once for all such too: to write for
   * each what it alone has missed would take the longest just when many fall behind.
   */
  #tellAll(audience: Audience<Client>): void {
    const [first] = audience.clients
    const now = performance.now()
    const isBeat = isDue(audience, now)
    if (!first?.view || (!isBeat && audience.alarms.size === 0)) return
    const behind = [...audience.clients].filter(({ owed, socket }) => !owed.full && !socket.conn.transport.writable).length
    if (isHeld(audience, now, { behind, of: audience.clients.size })) return
    const { view, reach } = first
    const ready = new Set([...audience.clients].filter(({ socket }) => socket.conn.transport.writable))
    if (isBeat) {
      const gates = [...audience.gates].flatMap((gate) => {
        const state = this.#deps.feed.states.get(gate)
        return state && sees(view, reach, state) ? [state] : []
      })
      const inStep = [...audience.clients].filter((client) => !client.owed.full && ready.has(client))
      for (const client of audience.clients) if (!ready.has(client)) client.owed.full = true
      if (gates.length > 0) {
        for (const client of inStep) markSent(client.owed, now)
        this.#emit(inStep, pack('state', { at: this.#deps.now(), full: false, gates }))
      }
      audience.gates.clear()
      audience.sentAt = now
      delete audience.everything.state
    }
    if (audience.alarms.size === 0) return
    const alarms = [...audience.alarms].flatMap((id) => this.#deps.alarms.get(id) ?? []).filter((a) => seesAlarm(reach, a.area))
    const inStep = [...audience.clients].filter((client) => client.owedAlarms !== 'all' && ready.has(client))
    for (const client of audience.clients) if (!ready.has(client)) client.owedAlarms = 'all'
    if (alarms.length > 0) this.#emit(inStep, pack('alarm', { at: this.#deps.now(), full: false, alarms }))
    audience.alarms.clear()
    delete audience.everything.alarm
  }

  #send(client: Client): void {
    const { socket, owed, view, reach } = client
    if (!view) return
    const { states } = this.#deps.feed
    const inView = (state: LiveState | undefined): state is LiveState => state !== undefined && sees(view, reach, state)
    const now = performance.now()
    // While a client has not taken the last message, its transport is not writable; what it is owed then is the latest, not the missed.
    const what = due(owed, now, { writable: socket.conn.transport.writable })
    if (what === 'nothing') return
    const { audience } = client
    if (what === 'full' && audience?.everything.state) {
      markSent(owed, now)
      this.#emit([client], audience.everything.state)
      return
    }
    const gates = what === 'full' ? [...states.all()].filter(inView) : [...owed.gates].map((gate) => states.get(gate)).filter(inView)
    if (what === 'changes' && gates.length === 0) {
      owed.gates.clear()
      return
    }
    markSent(owed, now)
    const message = { at: this.#deps.now(), full: what === 'full', gates }
    if (!audience) {
      socket.emit('state', message)
      return
    }
    const packed = pack('state', message)
    if (what === 'full') audience.everything.state = packed
    this.#emit([client], packed)
  }

  #oweAlarms(ids: readonly string[]): void {
    this.#audiences.owe({ alarms: ids })
    for (const { owedAlarms, audience } of this.#clients.values())
      if (owedAlarms !== 'all' && !audience) for (const id of ids) owedAlarms.add(id)
  }

  /** Alarms follow the person's areas, whatever gates are in view: nobody looks away from an alarm. */
  #sendAlarms(client: Client): void {
    const { socket, owedAlarms, reach, view } = client
    if (!view || (owedAlarms !== 'all' && owedAlarms.size === 0) || !socket.conn.transport.writable) return
    const at = this.#deps.now()
    const { alarms } = this.#deps
    const { audience } = client
    if (owedAlarms === 'all' && audience?.everything.alarm) {
      client.owedAlarms = new Set()
      this.#emit([client], audience.everything.alarm)
      return
    }
    const owed = owedAlarms === 'all' ? alarms.present(at) : [...owedAlarms].flatMap((id) => alarms.get(id) ?? [])
    client.owedAlarms = new Set()
    const told = owed.filter((alarm) => seesAlarm(reach, alarm.area))
    if (owedAlarms !== 'all' && told.length === 0) return
    const message = { at, full: owedAlarms === 'all', alarms: told }
    if (!audience) {
      socket.emit('alarm', message)
      return
    }
    const packed = pack('alarm', message)
    if (message.full) audience.everything.alarm = packed
    this.#emit([client], packed)
  }

  #emit(to: readonly Client[], message: PackedMessage): void {
    if (to.length === 0) return
    const sockets = to.map(({ socket }) => socket.id)
    // Compressed already: an answer to polling would be compressed again. What was written earlier is still all that there is: it is of now.
    this.#io
      .compress(false)
      .to(sockets)
      .emit('packed', { ...message, at: this.#deps.now() })
  }

  /** Other areas are another audience, and the picture of it is sent anew. */
  #regrant(client: Client, reach: Reach): void {
    const before = client.audience
    client.reach = reach
    if (!before) return
    this.#seat(client, 'with those who see the same')
    if (client.audience === before) return
    client.owed.full = true
    client.owedAlarms = 'all'
  }

  #dismiss(whom: (client: Client) => boolean): void {
    for (const client of this.#clients.values()) if (whom(client)) client.socket.disconnect(true)
  }

  /** Sessions ended at another API node, and grants that have changed. */
  async #recheck(): Promise<void> {
    for (const client of [...this.#clients.values()]) {
      try {
        const signedIn = await this.#deps.sessions.byHash(client.signedIn.tokenHash)
        if (!signedIn) {
          client.socket.disconnect(true)
          continue
        }
        client.signedIn = signedIn
        this.#regrant(client, reachOf(signedIn.person.grants, 'read'))
      } catch (error) {
        // Live goes on while the registry is away; a session still ends at its time.
        this.#deps.log.warn({ error: messageOf(error) }, 'sessions of live connections could not be looked up')
        return
      }
    }
  }
}

/** What socket.io hands to the client's `connect_error`, as `error.data`. */
function refusal(error: unknown): Error {
  const problem = problemOf(error)
  return Object.assign(new Error(problem.detail), { data: problem })
}
