import { once } from 'node:events'
import { createServer } from 'node:net'

/** Tells a port that can't be listened on before the work that would be done in vain. @throws what `fault` makes of the cause */
export async function checkPort(
  at: { host: string; port: number },
  fault: (at: { host: string; port: number }, cause: unknown) => unknown,
): Promise<void> {
  const server = createServer()
  try {
    server.listen(at.port, at.host)
    await once(server, 'listening')
  } catch (cause) {
    throw fault(at, cause)
  }
  server.close()
  await once(server, 'close')
}
