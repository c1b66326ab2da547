import { createServer, type Server, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import type { Logger } from 'pino'
import { Fault, messageOf, systemCode } from '#contract/fault.ts'
import type { BrokerSettings } from './settings.ts'

export type EmbeddedBroker = { readonly url: string; readonly port: number; close(): Promise<void> }

/**
 * An MQTT 3.1.1 broker in this process. Sessions and retained messages are in memory: Sluice relies on neither (receipts do that work).
 * @throws Fault PORT_TAKEN, ADDRESS_REFUSED
 */
export async function openEmbeddedBroker(settings: BrokerSettings, deps: { log: Logger }): Promise<EmbeddedBroker> {
  const { log } = deps
  const aedes = await Aedes.createBroker({ heartbeatInterval: 30_000 })
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

function listen(server: Server, { host, port }: BrokerSettings): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        systemCode(cause) === 'EADDRINUSE'
          ? new Fault(
              'PORT_TAKEN',
              `MQTT port ${port} is in use on ${host}`,
              'set SLUICE_MQTT_PORT to a free port, or stop the other program',
              { cause },
            )
          : new Fault(
              'ADDRESS_REFUSED',
              `can't listen on ${host}:${port}: ${messageOf(cause)}`,
              'set broker.host and broker.port to an address of this machine',
              { cause },
            ),
      )
    })
    server.listen(port, host, () => {
      const address = server.address()
      if (address && typeof address === 'object') resolve(address.port)
      else reject(new Error('the broker has no TCP address'))
    })
  })
}
