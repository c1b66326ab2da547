import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { GaugeComparison } from '#contract/commissioning.ts'
import { Fault, messageOf, systemCode } from '#contract/fault.ts'
import type { DeviceProfile } from '#contract/profile.ts'
import { VERSION } from '#contract/version.ts'
import type { Edge } from '../main.ts'
import { Bench, LeafOrder, ProbeOrder, ScanOrder, StrokeOrder } from './bench.ts'
import { Guard, isForeign } from './guard.ts'
import { PAGE, PAGE_POLICY } from './page.ts'
import type { PageSettings } from './settings.ts'

/** The agent's own page: nothing of it comes from elsewhere, so that it works in a gatehouse without an uplink. */

const closed = { additionalProperties: false } as const
const SignIn = Type.Object({ password: Type.String({ minLength: 1, maxLength: 200 }) }, closed)
const SignOff = Type.Object(
  {
    structure: Type.String(),
    by: Type.String({ minLength: 1, maxLength: 100 }),
    note: Type.String({ maxLength: 2000 }),
    gauges: Type.Array(Type.Pick(GaugeComparison, ['metric', 'gauge']), { maxItems: 40 }),
  },
  closed,
)

const MOST_BODY_BYTES = 16_384
const STATUS: Partial<Record<Fault['code'], number>> = {
  BAD_REQUEST: 400,
  NOT_SIGNED_IN: 401,
  NOT_ALLOWED: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  LOCKED_OUT: 429,
}

export type Page = { readonly address: string; close(): Promise<void> }
/** The agent as the page sees it: it may be another after a change of its configuration. */
export type SeenEdge = Pick<Edge, 'buses' | 'records' | 'status'>
type Deps = { readonly edge: SeenEdge; readonly profiles: ReadonlyMap<string, DeviceProfile>; readonly log: Logger }
type Answer = { readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }
type Route = (request: IncomingMessage) => Promise<Answer>

/** @throws Fault PORT_TAKEN, ADDRESS_REFUSED */
export async function servePage(settings: PageSettings, deps: Deps): Promise<Page> {
  const guard = new Guard(settings.password_hash, Date.now)
  const bench = new Bench(deps.edge, deps.profiles)
  const routes = routesOf(deps, { guard, bench })
  const server = createServer((request, response) => {
    answer(request, { routes, guard })
      .then((a) => send(response, 200, a))
      .catch((error: unknown) => {
        if (!(error instanceof Fault)) deps.log.error({ error: messageOf(error) }, 'the page could not answer')
        const fault = error instanceof Fault ? error : new Fault('BAD_REQUEST', 'it could not be done', 'look at the log of the agent')
        send(response, error instanceof Fault ? (STATUS[fault.code] ?? 500) : 500, {
          body: { code: fault.code, detail: fault.message, next: fault.next },
        })
      })
  })
  server.requestTimeout = 30_000
  await listen(server, settings)
  const { port } = server.address() as AddressInfo
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host
  return {
    address: `http://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        bench.close()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function routesOf({ edge }: Deps, { guard, bench }: { guard: Guard; bench: Bench }): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    [
      'GET /api/status',
      async () => ({ body: { ...edge.status(), leaves: bench.leaves(), stroke: bench.stroke, password: guard.asksPassword } }),
    ],
    ['POST /api/scan', async (r) => ({ body: await bench.scan(await bodyOf(r, ScanOrder)) })],
    ['POST /api/probe', async (r) => ({ body: await bench.probe(await bodyOf(r, ProbeOrder)) })],
    [
      'POST /api/stroke',
      async (r) => {
        await bench.startStroke(await bodyOf(r, StrokeOrder))
        return { body: bench.stroke }
      },
    ],
    ['POST /api/stop', async (r) => ({ body: { taken: await bench.stop(await bodyOf(r, LeafOrder)) } })],
    ['GET /api/records', async () => ({ body: edge.records.list() })],
    [
      'POST /api/records',
      async (r) => {
        const record = recordOf(edge, bench, await bodyOf(r, SignOff))
        edge.records.add(record)
        return { body: record }
      },
    ],
  ])
}

function recordOf(edge: SeenEdge, bench: Bench, signed: Static<typeof SignOff>) {
  const devices = edge.status().devices.filter((d) => d.structure === signed.structure)
  if (devices.length === 0) throw new Fault('NOT_FOUND', `there is no structure ${signed.structure}`, 'name one of the site file')
  const readings = Object.assign({}, ...devices.map((d) => d.readings)) as (typeof devices)[number]['readings']
  const number = (metric: string): number | null => {
    const r = readings[metric]
    return r?.quality === 'good' ? r.value : null
  }
  return {
    id: randomUUID(),
    structure: signed.structure,
    at: Date.now(),
    by: signed.by,
    note: signed.note,
    profile: bench.profileOf(signed.structure),
    agent_version: VERSION,
    readings: Object.fromEntries(Object.entries(readings).map(([m, r]) => [m, r.quality === 'bad' ? r.reason : r.value])),
    gauges: signed.gauges.map((g) => ({ ...g, read: number(g.metric) })),
    strokes: bench.strokesOf(signed.structure),
  }
}

async function answer(request: IncomingMessage, { routes, guard }: { routes: ReadonlyMap<string, Route>; guard: Guard }): Promise<Answer> {
  const path = (request.url ?? '/').split('?', 1)[0]
  if (isForeign(request)) throw new Fault('NOT_ALLOWED', 'the request comes from another page', 'open this page by its IP address')
  if (request.method === 'GET' && path === '/')
    return { body: PAGE, headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': PAGE_POLICY } }
  if (request.method === 'POST' && path === '/api/sign-in') {
    const result = await guard.signIn((await bodyOf(request, SignIn)).password)
    if ('cookie' in result) return { body: {}, headers: { 'set-cookie': result.cookie } }
    throw new Fault(
      'LOCKED_OUT',
      'the password is wrong, or it was tried too soon again',
      `try again in ${Math.ceil(result.wait_ms / 1000)} s`,
    )
  }
  if (!guard.isIn(request)) throw new Fault('NOT_SIGNED_IN', 'sign in first', 'give the password')
  const route = routes.get(`${request.method} ${path}`)
  if (!route) throw new Fault('NOT_FOUND', `there is no ${request.method} ${path}`, 'open /')
  return await route(request)
}

async function bodyOf<S extends TSchema>(request: IncomingMessage, schema: S): Promise<Static<S>> {
  if (request.headers['content-type'] !== 'application/json')
    throw new Fault('BAD_REQUEST', 'the body is not JSON', 'send application/json')
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_BODY_BYTES) throw new Fault('BAD_REQUEST', 'the body is too long', `send at most ${MOST_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  const value = parsed(Buffer.concat(chunks).toString())
  if (Value.Check(schema, value)) return value
  const [first] = Value.Errors(schema, value)
  throw new Fault('BAD_REQUEST', `${first?.instancePath ?? ''} ${first?.message ?? 'is wrong'}`.trim(), 'correct it')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Fault('BAD_REQUEST', 'the body is not JSON', 'send application/json', { cause })
  }
}

function send(response: ServerResponse, status: number, { body, headers = {} }: Answer): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    ...headers,
  })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

function listen(server: ReturnType<typeof createServer>, { host, port }: PageSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const taken = systemCode(cause) === 'EADDRINUSE'
      reject(
        taken
          ? new Fault('PORT_TAKEN', `port ${port} of the page is in use on ${host}`, 'set page.port to a free port', { cause })
          : new Fault(
              'ADDRESS_REFUSED',
              `the page can't be served at ${host}:${port}: ${cause.message}`,
              'set page.host to an address of this machine',
              { cause },
            ),
      )
    })
    server.listen(port, host, resolve)
  })
}
