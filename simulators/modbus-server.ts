import { createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { assertNever } from '#contract/fault.ts'
import { listen } from './listen.ts'
import type { Frame } from './modbus-frame.ts'
import type { Wire } from './wire.ts'

/** Modbus as bytes: what is answered, and how wrongly, is for who is behind it to say. */

export type Answer =
  | { readonly kind: 'silence' }
  /** The connection is reset. */
  | { readonly kind: 'hang-up' }
  | {
      readonly kind: 'send'
      /** Each is a TCP segment of its own. */
      readonly segments: readonly Buffer[]
      readonly gap_ms: number
      readonly delay_ms: number
      /** Called right before the first segment is written, or instead when the client has gone meanwhile. */
      readonly leaving: (client: 'there' | 'gone') => void
    }
/** What answers on one connection. */
export type Session = (request: Frame) => Answer
export type ModbusServer = { readonly port: number; close(): Promise<void> }

/** Calls `connect` for each connection. Port 0 takes a free one. @throws Fault PORT_TAKEN or ADDRESS_REFUSED. */
export async function openModbusServer(
  at: { readonly host: string; readonly port: number },
  connect: () => Session,
  { wire, logger }: { readonly wire: Wire; readonly logger: Logger },
): Promise<ModbusServer> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // Clients are killed in tests and drills: a reset is no news.
    socket.on('error', (error) => logger.debug({ err: error, ...at }, 'simulated Modbus connection'))
    serve(socket, connect(), wire)
  })
  const port = await listen(server, at, 'choose another base port for the simulators, or 0 for free ones')
  server.on('error', (error) => logger.error({ err: error, ...at }, 'simulated Modbus server'))
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** Answers whatever comes over a connection or a serial port. */
export function serve(socket: Duplex & Partial<Pick<Socket, 'resetAndDestroy'>>, session: Session, wire: Wire): void {
  let received: Buffer = Buffer.alloc(0)
  /** Answers leave one after the other: the pieces of one are never mixed with those of another. */
  let line: Promise<void> = Promise.resolve()
  const take = (request: Frame): void => {
    const answer = session(request)
    switch (answer.kind) {
      case 'silence':
        return
      case 'hang-up':
        // A serial line has no connection to reset.
        socket.resetAndDestroy?.()
        return
      case 'send': {
        const queue = (): void => {
          line = line.then(() => send(socket, answer))
        }
        if (answer.delay_ms > 0) setTimeout(queue, answer.delay_ms)
        else queue()
        return
      }
      default:
        assertNever(answer)
    }
  }
  socket.on('data', (bytes: Buffer) => {
    const found = wire.take(Buffer.concat([received, bytes]))
    if (!found) {
      socket.destroy()
      return
    }
    received = found.rest
    for (const frame of found.frames) if (!socket.destroyed) take(frame)
  })
  socket.on('drain', () => socket.resume())
}

async function send(socket: Duplex, { segments, gap_ms, leaving }: Extract<Answer, { kind: 'send' }>): Promise<void> {
  leaving(socket.writable ? 'there' : 'gone')
  for (const [i, segment] of segments.entries()) {
    if (i > 0) await sleep(gap_ms)
    if (!socket.writable) return
    // Who asks and never reads is not asked on.
    if (!socket.write(segment)) socket.pause()
  }
}
