import type { AddressInfo } from 'node:net'
import { Fault, messageOf, systemCode } from '#contract/fault.ts'
import { type ApiDeps, buildApp } from './app.ts'
import type { ApiSettings } from './settings.ts'

export type Api = {
  /** Where it listens, as a URL without a slash at the end. */
  readonly address: string
  close(): Promise<void>
}

/** Starts the API. The broker and history may be away; the registry is asked when a person does. @throws Fault PORT_TAKEN, ADDRESS_REFUSED */
export async function openApi(settings: ApiSettings, deps: ApiDeps): Promise<Api> {
  const app = await buildApp(settings, deps)
  // For `localhost` Fastify would listen on two addresses, and live connections would be heard on the first only.
  const host = settings.http.host === 'localhost' ? '127.0.0.1' : settings.http.host
  const { port } = settings.http
  try {
    await app.listen({ host, port })
  } catch (cause) {
    await app.close()
    throw httpListenFault({ host, port }, cause)
  }
  const address = addressOf(host, app.server.address())
  deps.log.info({ address }, 'web server listens')
  return { address, close: () => app.close() }
}

/** What a person is told when the web server can't listen. */
export function httpListenFault({ host, port }: { host: string; port: number }, cause: unknown): unknown {
  switch (systemCode(cause)) {
    case 'EADDRINUSE':
      return new Fault('PORT_TAKEN', `HTTP port ${port} is in use on ${host}`, 'set SLUICE_HTTP_PORT to a free port', { cause })
    case 'EACCES':
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EINVAL':
      return new Fault(
        'ADDRESS_REFUSED',
        `can't listen on ${host}:${port}: ${messageOf(cause)}`,
        'set http.host and http.port to an address of this machine',
        { cause },
      )
    default:
      return cause
  }
}

function addressOf(host: string, bound: string | AddressInfo | null): string {
  if (bound === null || typeof bound === 'string') throw new Error('the web server has no TCP address')
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound.port}`
}
