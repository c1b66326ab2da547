import type { FastifyBaseLogger, FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Fault, type FaultCode } from '#contract/fault.ts'
import type { Problem } from '#contract/http.ts'

/** `INTERNAL` is our own mistake: it has no fault code, since nobody but us can act on it. */
export type ProblemCode = FaultCode | 'INTERNAL'

type Kind = { readonly status: number; readonly title: string }
const SERVER_SIDE: Kind = { status: 500, title: 'Internal error' }
const KINDS: Partial<Record<FaultCode, Kind>> = {
  BAD_REQUEST: { status: 400, title: 'Bad request' },
  NOT_SIGNED_IN: { status: 401, title: 'Not signed in' },
  SIGN_IN_REFUSED: { status: 401, title: 'Sign-in refused' },
  CODE_NEEDED: { status: 401, title: 'Code needed' },
  SECOND_FACTOR_NEEDED: { status: 403, title: 'Second factor needed' },
  PASSWORD_CHANGE_NEEDED: { status: 403, title: 'Password change needed' },
  PASSWORD_TOO_WEAK: { status: 400, title: 'Password too weak' },
  NOT_ALLOWED: { status: 403, title: 'Not allowed' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  CONFLICT: { status: 409, title: 'Conflict' },
  GATE_BUSY: { status: 409, title: 'Gate busy' },
  TAGGED_OUT: { status: 409, title: 'Tagged out' },
  CANAL_HELD: { status: 409, title: 'Canal held' },
  SELECTION_OVER: { status: 409, title: 'Selection over' },
  LOCKED_OUT: { status: 429, title: 'Locked out' },
  DISK_FULL: { status: 503, title: 'Disk full' },
  HISTORY_UNREACHABLE: { status: 503, title: 'History unreachable' },
  REGISTRY_UNREACHABLE: { status: 503, title: 'Registry unreachable' },
  BROKER_UNREACHABLE: { status: 503, title: 'Broker unreachable' },
}

// A fault of ours names hosts, paths and settings. They are for the log, not for whoever asks over the network.
const OUTAGE: Partial<Record<FaultCode, string>> = {
  DISK_FULL: 'the disk of a store is full; live values go on',
  HISTORY_UNREACHABLE: 'the history store does not answer; live values go on',
  REGISTRY_UNREACHABLE: 'the registry does not answer',
  BROKER_UNREACHABLE: 'the message broker does not answer',
}

function body(kind: Kind, code: ProblemCode, said: { detail: string; next: string }): Problem {
  return { type: `urn:sluice:fault:${code.toLowerCase().replaceAll('_', '-')}`, title: kind.title, status: kind.status, code, ...said }
}

const INTERNAL = body(SERVER_SIDE, 'INTERNAL', {
  detail: 'the server made a mistake',
  next: 'try again; if it stays, tell the administrator the time: the log holds the reason',
})

/** What a client is told of an error (RFC 9457). Nothing of a fault on our side gets out but its kind. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Fault) {
    const kind = KINDS[error.code]
    if (!kind) return INTERNAL
    const outage = OUTAGE[error.code]
    return body(
      kind,
      error.code,
      outage ? { detail: outage, next: 'try again soon; the log says more' } : { detail: error.message, next: error.next },
    )
  }
  return isFastifyError(error) ? requestProblem(error) : INTERNAL
}

/** Errors that Fastify and its plugins raise for a request; a code of theirs makes the message fit to be shown. */
function isFastifyError(error: unknown): error is FastifyError {
  return (
    error instanceof Error &&
    ('validation' in error || ('code' in error && typeof error.code === 'string' && error.code.startsWith('FST_')))
  )
}

function requestProblem(error: FastifyError): Problem {
  const status = error.validation ? 400 : (error.statusCode ?? 500)
  if (status >= 500) return INTERNAL
  const bad = (title: string, next: string): Problem => body({ status, title }, 'BAD_REQUEST', { detail: error.message, next })
  switch (status) {
    case 404:
      return body({ status, title: 'Not found' }, 'NOT_FOUND', { detail: 'there is nothing here', next: 'check the address' })
    case 403:
      return body({ status, title: 'Not allowed' }, 'NOT_ALLOWED', { detail: error.message, next: 'check the address' })
    case 413:
      return bad('Body too large', 'send less')
    case 415:
      return bad('Unsupported media type', 'send JSON with content-type application/json')
    default:
      return bad('Bad request', 'correct the request; /api/docs describes it')
  }
}

/** Sends an error as a problem; what is ours to mend goes to the log with its cause. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error)
  if (problem.status >= 500) logFault(request.log, error, request)
  else logRefusal(problem, request)
  // What the route had begun to say (a type, a cache time, an etag) is not about this.
  for (const header of ['cache-control', 'etag', 'last-modified', 'content-encoding']) reply.removeHeader(header)
  return reply
    .code(problem.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send({ ...problem, instance: request.url.split('?', 1)[0] })
}

function logFault(log: FastifyBaseLogger, error: unknown, request: FastifyRequest): void {
  log.error({ err: error, method: request.method, url: request.url.split('?', 1)[0] }, 'request failed')
}

/** Who tries what: for the administrator, and for fail2ban. What was sent is not told, since it may be a secret. */
function logRefusal({ status, code }: Problem, { log, method, url, ip, signedIn }: FastifyRequest): void {
  log.info({ method, url: url.split('?', 1)[0], status, code, ip, who: signedIn?.person.login ?? null }, 'refused')
}

/** For `schema.response` of every route under /api. */
const ProblemReply = {
  description: 'Problem details (RFC 9457)',
  content: { 'application/problem+json': { schema: Type.Unsafe<Problem>({ $ref: 'Problem#' }) } },
}
export const PROBLEMS = { '4xx': ProblemReply, '5xx': ProblemReply } as const
