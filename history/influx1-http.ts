import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Fault, messageOf, systemCode } from '#contract/fault.ts'

const WRITE_MS = 10_000
const QUERY_MS = 30_000

const Series = Type.Object({
  tags: Type.Optional(Type.Record(Type.String(), Type.String())),
  columns: Type.Array(Type.String()),
  values: Type.Optional(Type.Array(Type.Array(Type.Unknown()))),
  partial: Type.Optional(Type.Boolean()),
})
const Reply = Type.Object({
  error: Type.Optional(Type.String()),
  results: Type.Optional(
    Type.Array(
      Type.Object({
        statement_id: Type.Optional(Type.Integer()),
        series: Type.Optional(Type.Array(Series)),
        error: Type.Optional(Type.String()),
        partial: Type.Optional(Type.Boolean()),
      }),
    ),
  ),
})
const reply = Compile(Reply)
export type InfluxSeries = Static<typeof Series>

/** What the server made of a body of line protocol. */
export type Posted =
  | { readonly kind: 'kept' }
  /** Some points of it, or all, can never be taken. `dropped` is how many, where the server says so. */
  | { readonly kind: 'refused'; readonly message: string; readonly dropped: number | null }
  /** To be sent in parts. */
  | { readonly kind: 'too-large'; readonly cause: Fault }
  | { readonly kind: 'unavailable'; readonly cause: Fault }

/** InfluxDB 1.x over HTTP: `influx1://[user:password@]host:port/database`. Makes the database when it is missing. */
export class Influx1Http {
  /** Named in messages; holds no password. */
  readonly place: string
  readonly #base: string
  readonly #database: string
  readonly #headers: Record<string, string>
  readonly #stop = new AbortController()

  /** Connects on use. @throws Fault CONFIG_INVALID */
  constructor(url: string) {
    const parts = parse(url)
    this.#base = `http://${parts.host}`
    this.#database = parts.database
    this.place = `InfluxDB at ${parts.host}/${parts.database}`
    this.#headers = parts.credentials === null ? {} : { authorization: `Basic ${Buffer.from(parts.credentials).toString('base64')}` }
  }

  /** Aborts what is under way. */
  close(): void {
    this.#stop.abort()
  }

  async post(lines: string): Promise<Posted> {
    try {
      const path = `/write?${new URLSearchParams({ db: this.#database, precision: 'ms' })}`
      let response = await this.#fetch(path, { body: lines, timeoutMs: WRITE_MS })
      if (response.status === 404) {
        await this.#createDatabase()
        response = await this.#fetch(path, { body: lines, timeoutMs: WRITE_MS })
      }
      if (response.status === 204) return { kind: 'kept' }
      if (response.status === 413) return { kind: 'too-large', cause: this.#fault('413 too large, even for a single sample', 413) }
      const message = errorIn(await response.text())
      // A proxy's 400 is no verdict on the data: only what InfluxDB itself says of them is.
      if (response.status === 400 && response.headers.has('x-influxdb-version') && isVerdict(message))
        return { kind: 'refused', message, dropped: droppedIn(message) }
      return { kind: 'unavailable', cause: this.#fault(`${response.status} ${message}`, response.status) }
    } catch (error) {
      return { kind: 'unavailable', cause: error instanceof Fault ? error : this.#fault(whyOf(error), 0, error) }
    }
  }

  /** @returns for each statement its series. @throws Fault HISTORY_UNREACHABLE */
  async query(statements: readonly string[]): Promise<InfluxSeries[][]> {
    if (statements.length === 0) return []
    try {
      return await this.#query(statements)
    } catch (error) {
      if (error instanceof MissingDatabase) {
        await this.#createDatabase()
        return await this.#query(statements)
      }
      throw error
    }
  }

  async #query(statements: readonly string[]): Promise<InfluxSeries[][]> {
    const body = new URLSearchParams({ db: this.#database, epoch: 'ms', chunked: 'true', q: statements.join(';') })
    let status = 0
    try {
      const response = await this.#fetch('/query', { body, timeoutMs: QUERY_MS })
      status = response.status
      const text = await response.text()
      if (status === 404 || /database not found/.test(text.slice(0, 500))) throw new MissingDatabase()
      if (status !== 200) throw this.#fault(`${status} ${errorIn(text)}`, status)
      return this.#resultsOf(text, statements.length)
    } catch (error) {
      if (error instanceof Fault || error instanceof MissingDatabase) throw error
      throw this.#fault(whyOf(error), status, error)
    }
  }

  /** The answer comes in chunks, a line of JSON each: in one piece InfluxDB calls every answer of over 10,000 rows partial, whether it is or not. */
  #resultsOf(text: string, expected: number): InfluxSeries[][] {
    const found: InfluxSeries[][] = statements(expected)
    const unfinished = new Set<number>(found.keys())
    for (const line of text.split('\n')) {
      if (line.trim() === '') continue
      const parsed: unknown = JSON.parse(line)
      if (!reply.Check(parsed)) throw this.#fault('an answer that is not InfluxDB’s', 200)
      const results = parsed.results ?? []
      const error = parsed.error ?? results.find((r) => r.error !== undefined)?.error
      if (error !== undefined) throw this.#fault(error, 200)
      for (const [i, { statement_id: id = i, series = [], partial }] of results.entries()) {
        found[id] = mergeSeries(found[id] ?? [], series)
        if (partial || series.at(-1)?.partial) unfinished.add(id)
        else unfinished.delete(id)
      }
    }
    // The server's own limits cut answers without an error: better none than half of one.
    if (unfinished.size > 0 || found.length !== expected) throw this.#fault('an answer that was cut off; set max-row-limit = 0', 200)
    return found
  }

  async #createDatabase(): Promise<void> {
    const body = new URLSearchParams({ q: `CREATE DATABASE "${this.#database.replace(/["\\]/g, '\\$&')}"` })
    const response = await this.#fetch('/query', { body, timeoutMs: WRITE_MS })
    const text = await response.text()
    const error = errorIn(text)
    if (response.status !== 200 || error !== '')
      throw this.#fault(`the database is missing and can't be made: ${error || response.status}`, response.status)
  }

  #fetch(path: string, { body, timeoutMs }: { body: string | URLSearchParams; timeoutMs: number }): Promise<Response> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)])
    return fetch(this.#base + path, { method: 'POST', body, headers: this.#headers, signal, redirect: 'error' })
  }

  /** That it refused what only we can have made wrong. */
  fault(why: string): Fault {
    return this.#fault(why, 400)
  }

  #fault(why: string, status: number, cause?: unknown): Fault {
    const next =
      status === 401 || status === 403 ? 'check user, password and their rights on the database' : 'check that it runs and can be reached'
    return new Fault('HISTORY_UNREACHABLE', `${this.place} does not answer as it should (${why})`, next, { cause })
  }
}

class MissingDatabase extends Error {}

const statements = (count: number): InfluxSeries[][] => Array.from({ length: count }, () => [])

/** A series that goes on in the next chunk is one series. */
function mergeSeries(known: InfluxSeries[], more: readonly InfluxSeries[]): InfluxSeries[] {
  for (const series of more) {
    const last = known.at(-1)
    if (last?.partial && JSON.stringify(last.tags) === JSON.stringify(series.tags)) {
      for (const row of series.values ?? []) last.values?.push(row)
      known[known.length - 1] = { ...last, partial: series.partial ?? false }
    } else known.push(series)
  }
  return known
}

function parse(text: string): { host: string; database: string; credentials: string | null } {
  try {
    const url = new URL(text.replace(/^influx1:/, 'http:'))
    const database = decodeURIComponent(url.pathname.slice(1))
    if (database === '' || database.includes('/')) throw new Error('it names no database')
    const credentials = url.username === '' ? null : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    return { host: `${url.hostname}:${url.port || '8086'}`, database, credentials }
  } catch (cause) {
    throw new Fault('CONFIG_INVALID', 'the history URL can not be read', 'write influx1://user:password@host:8086/database', { cause })
  }
}

/** @returns what the server says is wrong: of a body in JSON its `error`, else its beginning. */
function errorIn(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text)
    if (reply.Check(parsed)) return parsed.error ?? parsed.results?.find((r) => r.error !== undefined)?.error ?? ''
  } catch {
    // Not JSON: a proxy's page.
  }
  return text.slice(0, 200)
}

/** A limit on series or tag values is no fault of the data: somebody may raise it. */
const isVerdict = (message: string): boolean =>
  /^(partial write|unable to parse|field type conflict)/.test(message) && !/limit exceeded/.test(message)

function droppedIn(message: string): number | null {
  const match = /dropped=(\d+)/.exec(message)
  return match ? Number(match[1]) : null
}

const whyOf = (error: unknown): string => systemCode(error) ?? messageOf(error instanceof Error && error.cause ? error.cause : error)
