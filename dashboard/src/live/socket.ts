import { io } from 'socket.io-client'
import type { AlarmMessage } from '#contract/alarm.ts'
import type { CommandMessage } from '#contract/http/command.ts'
import type { PackedMessage, StateMessage, Watch } from '#contract/http.ts'
import { ANSWER_MS, isSilent, type Link, type LinkEvent, nextLink, SILENCE_MS } from './link.ts'

export type SocketDeps = {
  readonly onState: (message: StateMessage) => void
  readonly onAlarm: (message: AlarmMessage) => void
  readonly onCommand: (message: CommandMessage) => void
  readonly onLink: (link: Link) => void
  /** The server does not know the session. */
  readonly onSignedOut: () => void
}

const LOOK_MS = 250
async function unpack(bytes: Uint8Array): Promise<unknown> {
  const plain = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream('deflate'))
  return await new Response(plain).json()
}

/** The live connection: watches every gate that the person may see, and finds out within 3 s when it is gone. */
export function openSocket(deps: SocketDeps): { watch(ask: Watch): void; close(): void } {
  let link: Link = { at: 'connecting', since: Date.now() }
  let probing = false
  let answeredAt = 0
  let asked: Watch = {}
  // What every screen is told alike comes compressed, where the browser can unpack it.
  let packed = typeof DecompressionStream !== 'undefined'

  const step = (event: LinkEvent): void => {
    const next = nextLink(link, event)
    if (next === link) return
    link = next
    deps.onLink(link)
  }
  const socket = io({
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 2000,
    timeout: 5000,
  })

  socket.io.on('open', () => socket.io.engine.on('packet', () => step({ kind: 'heard', t: Date.now() })))
  // A watch is answered by a full snapshot: after it the view is right, whatever was missed.
  const sendWatch = (): void => {
    socket.emit('watch', packed ? { ...asked, packed } : asked)
  }
  socket.on('connect', sendWatch)
  const takeState = (message: StateMessage): void => {
    deps.onState(message)
    step({ kind: message.full ? 'snapshot' : 'news', t: Date.now() })
  }
  socket.on('state', takeState)
  socket.on('alarm', (message: AlarmMessage) => deps.onAlarm(message))
  // One after the other: to unpack takes a moment, and a later message must not overtake.
  let unpacking: Promise<void> = Promise.resolve()
  socket.on('packed', ({ kind, at, bytes }: PackedMessage) => {
    const connection = socket.id
    unpacking = unpacking
      .then(() => unpack(bytes))
      .then((message) => {
        // Of a connection that has ended meanwhile: the next one begins with everything.
        if (socket.id !== connection) return
        if (kind === 'state') takeState({ ...(message as StateMessage), at })
        else deps.onAlarm({ ...(message as AlarmMessage), at })
      })
      .catch(() => {
        // What can't be read is as good as lost: everything anew, and plain, or a browser that never can would ask for ever.
        packed = false
        socket.disconnect().connect()
      })
  })
  socket.on('command', (message: CommandMessage) => deps.onCommand(message))
  socket.on('disconnect', (reason) => {
    step({ kind: 'lost' })
    // Sent away by the server, as at the end of a session: only then the library does not come back by itself.
    if (reason === 'io server disconnect') socket.connect()
  })
  socket.on('connect_error', (error) => {
    step({ kind: 'lost' })
    if (codeOf(error) === 'NOT_SIGNED_IN') deps.onSignedOut()
    // Refused by the server, not out of reach: try again later all the same, a registry may be restarting.
    else if (!socket.active) retry = setTimeout(() => socket.connect(), 2000)
  })
  let retry: ReturnType<typeof setTimeout> | undefined

  /** socket.io itself notices a cut cable only after its ping time-out (45 s by default): ask the server when it is silent. */
  const look = async (): Promise<void> => {
    const now = Date.now()
    if (probing || !isSilent(link, now) || now - answeredAt < SILENCE_MS) return
    probing = true
    try {
      await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) })
      answeredAt = Date.now()
    } catch {
      // No answer is the answer.
      step({ kind: 'lost' })
      socket.disconnect().connect()
    } finally {
      probing = false
    }
  }
  const timer = setInterval(() => void look(), LOOK_MS)

  return {
    /** Alarms come whatever is watched. */
    watch(ask) {
      asked = ask
      if (socket.connected) sendWatch()
    },
    close() {
      clearInterval(timer)
      clearTimeout(retry)
      socket.removeAllListeners()
      socket.disconnect()
    },
  }
}

function codeOf(error: Error): unknown {
  const data: unknown = 'data' in error ? error.data : undefined
  return typeof data === 'object' && data !== null && 'code' in data ? data.code : undefined
}
