import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { Fault, type FaultCode, messageOf } from '#contract/fault.ts'
import type { Problem } from '#contract/http.ts'
import type { UnixMs } from '#contract/units.ts'
import { parseOrder } from './faults/order.ts'
import { checkTarget, type Targets } from './faults/target.ts'
import { type Faults, type Phase, type PlannedFault, phaseOf } from './faults.ts'
import { listen } from './listen.ts'
import type { SimulatedSite } from './main.ts'

/** Faults over HTTP, on loopback: `GET /state`, `POST /faults`, `DELETE /faults/<id>`, `DELETE /faults`. */

export type Control = { readonly url: string; close(): Promise<void> }
export type Controlled = {
  readonly faults: Faults
  readonly sites: readonly SimulatedSite[]
  readonly targets: Targets
  readonly started: UnixMs
  readonly now: () => UnixMs
}
export type FaultState = PlannedFault & { readonly phase: Phase }
export type ControlState = {
  readonly now: UnixMs
  readonly started: UnixMs
  readonly sites: readonly SimulatedSite[]
  readonly faults: readonly FaultState[]
}

const HOST = '127.0.0.1'
const MOST_BODY_BYTES = 64 * 1024
const STATUS: Partial<Record<FaultCode, number>> = { BAD_REQUEST: 400, NOT_FOUND: 404 }

/** Port 0 takes a free one. @throws Fault PORT_TAKEN or ADDRESS_REFUSED. */
export async function openControl(port: number, controlled: Controlled, logger: Logger): Promise<Control> {
  const server = createServer((request, response) => {
    handle(request, controlled).then(
      ({ status, body }) => send(response, status, body),
      (error: unknown) => {
        if (!(error instanceof Fault)) logger.error({ err: error }, 'simulators’ control')
        const problem = problemOf(error)
        send(response, problem.status, problem)
      },
    )
  })
  const chosen = await listen(server, { host: HOST, port }, 'choose another control port, or 0 for a free one')
  return {
    url: `http://${HOST}:${chosen}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type Reply = { readonly status: number; readonly body?: unknown }

async function handle(request: IncomingMessage, controlled: Controlled): Promise<Reply> {
  const { faults, now } = controlled
  const path = request.url ?? '/'
  const id = /^\/faults\/([^/]+)$/.exec(path)?.[1]
  const shown = (fault: PlannedFault): FaultState => ({ ...fault, phase: phaseOf(fault, now()) })
  switch (`${request.method} ${id === undefined ? path : '/faults/<id>'}`) {
    case 'GET /state': {
      const { started, sites } = controlled
      const state: ControlState = { now: now(), started, sites, faults: faults.all().map(shown) }
      return { status: 200, body: state }
    }
    case 'POST /faults': {
      const order = parseOrder(await bodyOf(request), { place: 'the body', code: 'BAD_REQUEST' })
      checkTarget(order, controlled.targets, 'BAD_REQUEST')
      return { status: 201, body: shown(faults.add(order, now())) }
    }
    case 'DELETE /faults':
      faults.clear()
      return { status: 204 }
    case 'DELETE /faults/<id>':
      if (!faults.remove(id ?? '')) throw new Fault('NOT_FOUND', `there is no fault ${id}`, 'GET /state lists them')
      return { status: 204 }
    default:
      throw new Fault(
        'NOT_FOUND',
        `there is no ${request.method} ${path}`,
        'GET /state, POST /faults, DELETE /faults/<id> or DELETE /faults',
      )
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  // A page in a browser can post to loopback, but not as JSON without asking first.
  if (!request.headers['content-type']?.startsWith('application/json')) {
    throw new Fault('BAD_REQUEST', 'the body is not JSON', 'send it as content-type application/json')
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_BODY_BYTES) throw new Fault('BAD_REQUEST', `the body is longer than ${MOST_BODY_BYTES} bytes`, 'order one fault')
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  } catch (cause) {
    throw new Fault('BAD_REQUEST', `the body is not JSON: ${messageOf(cause)}`, 'correct it', { cause })
  }
}

function problemOf(error: unknown): Problem {
  const type = 'about:blank'
  if (!(error instanceof Fault)) {
    return { type, title: 'Internal error', status: 500, code: 'INTERNAL', detail: 'The simulators failed', next: 'see their log' }
  }
  const { code, message, next } = error
  return { type, title: code, status: STATUS[code] ?? 500, code, detail: message, next }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (body === undefined) {
    response.writeHead(status).end()
    return
  }
  response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' }).end(JSON.stringify(body))
}
