import { createServer } from 'node:http'
import type { AddressInfo, Socket as TcpSocket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { io } from 'socket.io-client'
import { expect, test } from 'vitest'
import type { StateMessage } from '#contract/http.ts'
import { liveTopic } from '#contract/topics.ts'
import { unixMs } from '#contract/units.ts'
import type { SignedIn } from '../auth/sessions.ts'
import { liveValue } from '../testing/district.ts'
import { LastStates } from './last-states.ts'
import { Rooms } from './rooms.ts'

const GATES = 8000
const ROUNDS = 10
const METRICS = ['level_up', 'level_down', 'opening', 'opening_2', 'opening_3', 'flow', 'battery', 'rssi']

const signedIn: SignedIn = {
  by: 'session',
  secondFactor: false,
  tokenHash: 'hash',
  expiresAt: unixMs(Number.MAX_SAFE_INTEGER),
  person: {
    id: '1',
    login: 'wang',
    name: 'Wang',
    passwordHash: '',
    grants: [{ role: 'viewer', area: null }],
    failedSignIns: 0,
    lockedUntil: null,
    mustChangePassword: false,
    disabledAt: null,
  },
}

test('a client that does not read is not sent a queue: it gets the latest when it reads again', async () => {
  const states = new LastStates()
  const listeners: ((gate: string) => void)[] = []
  /** Every gate changes: some 4 MB for a client without compression. */
  const change = (round: number): void => {
    const metrics = Object.fromEntries(METRICS.map((name) => [name, liveValue(1_790_000_000_000 + round, round + 0.123)]))
    for (let i = 0; i < GATES; i++) {
      const gate = `gate-${i}`
      states.take(liveTopic('yichang', gate), Buffer.from(JSON.stringify({ gate, area: 'yichang', site: 's', online: true, metrics })))
      for (const listener of listeners) listener(gate)
    }
  }
  change(0)

  const server = createServer()
  const accepted: TcpSocket[] = []
  server.on('connection', (socket) => accepted.push(socket))
  const rooms = Rooms.open(server, {
    log: pino({ level: 'silent' }),
    feed: { states, onChange: (listener) => listeners.push(listener) },
    alarms: { get: () => undefined, present: () => [], onChange: () => undefined },
    sessions: { find: async () => signedIn, byHash: async () => signedIn, onEnd: () => undefined },
    now: () => unixMs(Date.now()),
    recheckMs: 60_000,
    tokenOf: () => 'token',
    isCrossSite: () => false,
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], perMessageDeflate: false as never, reconnection: false })
  const values: unknown[] = []
  socket.on('state', (message: StateMessage) => values.push(message.gates[0]?.metrics['flow']?.v))
  await socket.timeout(10_000).emitWithAck('watch', {})
  await expect.poll(() => values.length, { timeout: 10_000 }).toBe(1)

  const [connection] = accepted
  if (!connection) throw new Error('no connection was accepted')
  const tcp = (socket.io.engine.transport as unknown as { ws: { _socket: TcpSocket } }).ws._socket
  tcp.pause()
  let mostWaiting = 0
  for (let round = 1; round <= ROUNDS; round++) {
    change(round)
    await sleep(600)
    mostWaiting = Math.max(mostWaiting, connection.writableLength)
  }
  const size = JSON.stringify([...states.all()]).length
  // The message that the system no longer took, and none behind it.
  expect(mostWaiting).toBeGreaterThan(0)
  expect(mostWaiting).toBeLessThan(size * 1.5)

  tcp.resume()
  await expect.poll(() => values.at(-1), { timeout: 20_000 }).toBe(ROUNDS + 0.123)
  expect(values.length).toBeLessThan(ROUNDS)

  socket.disconnect()
  await rooms.close()
  server.closeAllConnections()
})
