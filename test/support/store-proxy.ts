/** An HTTP proxy before InfluxDB that answers for it, badly. Queries pass; writes meet the faults one after the other. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type StoreFault = 'none' | 'error' | 'kept, then error' | 'busy' | 'cut off' | 'kept, then cut off' | 'slow'

export type StoreProxy = {
  readonly port: number
  /** Writes that met each fault. */
  readonly met: ReadonlyMap<StoreFault, number>
  /** From now on nothing is wrong. */
  heal(): void
  close(): Promise<void>
}

/** @param slowMs after which a slow write is answered */
export async function openStoreProxy(
  target: number,
  { faults, slowMs }: { readonly faults: readonly StoreFault[]; readonly slowMs: number },
): Promise<StoreProxy> {
  const met = new Map<StoreFault, number>()
  let [turn, isHealed] = [0, false]

  const pass = async (req: IncomingMessage, body: Buffer): Promise<{ status: number; headers: Record<string, string>; body: Buffer }> =>
    await new Promise((resolve, reject) => {
      const headers = { ...req.headers, host: `127.0.0.1:${target}`, 'content-length': String(body.length) }
      delete headers['transfer-encoding']
      const out = request({ host: '127.0.0.1', port: target, path: req.url, method: req.method, headers }, async (reply) => {
        const answer = await bytesOf(reply)
        const kept = Object.entries(reply.headers).filter(([name]) => name !== 'transfer-encoding' && name !== 'connection')
        resolve({ status: reply.statusCode ?? 500, headers: Object.fromEntries(kept.map(([n, v]) => [n, String(v)])), body: answer })
      })
      out.on('error', reject)
      out.end(body)
    })

  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await bytesOf(req)
    const isWrite = req.url?.startsWith('/write') ?? false
    const fault = isWrite && !isHealed ? (faults[turn++ % faults.length] ?? 'none') : 'none'
    if (isWrite) met.set(fault, (met.get(fault) ?? 0) + 1)
    if (fault === 'error') return say(res, 500, 'engine: error writing WAL entry: no space left on device')
    if (fault === 'busy') return say(res, 503, 'hinted handoff queue full')
    if (fault === 'cut off') return void res.destroy()
    const passed = await pass(req, body)
    if (fault === 'kept, then error') return say(res, 500, 'timeout')
    if (fault === 'kept, then cut off') return void res.destroy()
    if (fault === 'slow') await sleep(slowMs)
    res.writeHead(passed.status, passed.headers).end(passed.body)
  }

  const server = createServer((req, res) => {
    answer(req, res).catch((error: Error) => res.destroy(error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    met,
    heal: () => {
      isHealed = true
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const say = (res: ServerResponse, status: number, error: string): void => {
  res.writeHead(status, { 'content-type': 'application/json', 'x-influxdb-version': '1.6.7' }).end(JSON.stringify({ error }))
}

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}
