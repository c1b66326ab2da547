import { createServer, type Server, type Socket } from 'node:net'
import { Aedes, type AedesOptions, type Client } from 'aedes'
import type { Logger } from 'pino'
import { Fault, messageOf, systemCode } from '#contract/fault.ts'
import { type Account, isMqttPassword } from './accounts.ts'
import { isAllowed, type Principal, type Right } from './acl.ts'
import { orderedEmission } from './emission.ts'
import type { BrokerSettings } from './settings.ts'

export type EmbeddedBroker = { readonly url: string; readonly port: number; close(): Promise<void> }

/**
 * An MQTT 3.1.1 broker in this process. Sessions and retained messages are in memory: Sluice relies on neither (receipts do that work; what is
 * retained is only told sooner by it, and is said again when the sites connect anew).
 * @throws Fault PORT_TAKEN, ADDRESS_REFUSED
 */
export async function openEmbeddedBroker(
  settings: Pick<BrokerSettings, 'host' | 'port'>,
  deps: { log: Logger; access?: Access },
): Promise<EmbeddedBroker> {
  const { log, access } = deps
  const aedes = await Aedes.createBroker({ heartbeatInterval: 30_000, mq: orderedEmission(), ...(access && guards(access, log)) })
  aedes.on('clientError', (client, error) => log.warn({ client: client.id, error: error.message }, 'mqtt client error'))
  aedes.on('connectionError', (client, error) => log.debug({ client: client.id, error: error.message }, 'mqtt connection error'))

  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.once('close', () => sockets.delete(socket))
    aedes.handle(socket)
  })
  const port = await listen(server, settings)
  log.info({ host: settings.host, port }, 'embedded broker listens')
  return {
    url: `mqtt://${settings.host}:${port}`,
    port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      await new Promise<void>((resolve) => aedes.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Who may sign in. Without it everyone on the address may do everything. */
export type Access = {
  readonly account: (user: string) => Account | undefined
  /** What a client without a name may do; null refuses it. */
  readonly anonymous: Principal | null
}

function guards(access: Access, log: Logger) {
  const principals = new WeakMap<Client, Principal>()
  const refuse = (client: Client, what: Record<string, unknown>): void =>
    log.warn({ client: client.id, ...what }, 'the broker refused what is not this client’s')
  const isFree = (client: Client, right: Right, topic: string): boolean => {
    const principal = principals.get(client)
    return principal !== undefined && isAllowed(principal, right, topic)
  }
  return {
    authenticate: (client, username, password, done) => {
      const account = username === undefined ? undefined : access.account(username)
      const principal =
        username === undefined || username === ''
          ? access.anonymous
          : account && password && isMqttPassword(account.hash, password)
            ? account.principal
            : null
      if (principal) principals.set(client, principal)
      else refuse(client, { username })
      done(null, principal !== null && principal !== undefined)
    },
    authorizePublish: (client, packet, done) => {
      // The broker itself, saying a will.
      if (!client || isFree(client, 'publish', packet.topic)) return done(null)
      refuse(client, { publish: packet.topic })
      done(new Error('not allowed'))
    },
    authorizeSubscribe: (client, subscription, done) => {
      if (client && isFree(client, 'subscribe', subscription.topic)) return done(null, subscription)
      if (client) refuse(client, { subscribe: subscription.topic })
      done(null, null)
    },
  } satisfies AedesOptions
}

/** What a person is told when the broker can't listen. */
export function mqttListenFault({ host, port }: Pick<BrokerSettings, 'host' | 'port'>, cause: unknown): Fault {
  return systemCode(cause) === 'EADDRINUSE'
    ? new Fault('PORT_TAKEN', `MQTT port ${port} is in use on ${host}`, 'set SLUICE_MQTT_PORT to a free port, or stop the other program', {
        cause,
      })
    : new Fault(
        'ADDRESS_REFUSED',
        `can't listen on ${host}:${port}: ${messageOf(cause)}`,
        'set broker.host and broker.port to an address of this machine',
        { cause },
      )
}

function listen(server: Server, { host, port }: Pick<BrokerSettings, 'host' | 'port'>): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(mqttListenFault({ host, port }, cause)))
    server.listen(port, host, () => {
      const address = server.address()
      if (address && typeof address === 'object') resolve(address.port)
      else reject(new Error('the broker has no TCP address'))
    })
  })
}
