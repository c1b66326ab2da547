import type { Server } from 'node:net'
import { Fault, messageOf, systemCode } from '#contract/fault.ts'

/** Listens; port 0 takes a free one. @returns the port. @throws Fault PORT_TAKEN, with `next` as advice, or ADDRESS_REFUSED. */
export async function listen(server: Server, at: { readonly host: string; readonly port: number }, next: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const failed = (cause: Error): void => reject(refusal(cause, at, next))
    server.once('error', failed)
    server.listen(at.port, at.host, () => {
      server.off('error', failed)
      const address = server.address()
      resolve(address && typeof address === 'object' ? address.port : at.port)
    })
  })
}

function refusal(cause: Error, { host, port }: { readonly host: string; readonly port: number }, next: string): Fault {
  if (systemCode(cause) === 'EADDRINUSE') return new Fault('PORT_TAKEN', `port ${port} on ${host} is in use`, next, { cause })
  const what = `${host}:${port} can't be opened: ${messageOf(cause)}`
  return new Fault('ADDRESS_REFUSED', what, 'choose an address of this machine and a port above 1023', { cause })
}
