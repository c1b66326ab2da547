import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Fault, messageOf, systemCode } from '#contract/fault.ts'
import { type Answer, HttpPost } from './http-post.ts'
import { type InfluxAddress, parseInfluxUrl } from './influx-address.ts'

const WRITE_MS = 10_000
const QUERY_MS = 30_000

const Series = Type.Object({
  name: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Record(Type.String(), Type.String())),
  columns: Type.Array(Type.String()),
  values: Type.Optional(Type.Array(Type.Array(Type.Unknown()))),
  partial: Type.Optional(Type.Boolean()),
})
const Reply = Type.Object({
  error: Type.Optional(Type.String()),
  /** 2.x's word for it. */
  message: Type.Optional(Type.String()),
  /** 3.x: what is wrong with which line. */
  data: Type.Optional(Type.Union([Type.Null(), Type.Array(Type.Object({ error_message: Type.String() }))])),
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

/** InfluxDB over HTTP. Makes the database of a 1.x when it is missing; 3.x makes it by itself, and in 2.x a person does. */
export class InfluxHttp {
  /** Named in messages; holds no password. */
  readonly place: string
  readonly #address: InfluxAddress
  readonly #posts: HttpPost

  /** Connects on use. @throws Fault CONFIG_INVALID */
  constructor(url: string) {
    this.#address = parseInfluxUrl(url)
    this.place = this.#address.place
    this.#posts = new HttpPost(this.#address.base, this.#address.headers)
  }

  /** Aborts what is under way. */
  close(): void {
    this.#posts.close()
  }

  async post(lines: string): Promise<Posted> {
    try {
      const path = this.#address.writePath
      let response = await this.#post(path, { body: lines, timeoutMs: WRITE_MS })
      if (response.status === 404) {
        await this.#createDatabase()
        response = await this.#post(path, { body: lines, timeoutMs: WRITE_MS })
      }
      if (response.status === 204) return { kind: 'kept' }
      if (response.status === 413) return { kind: 'too-large', cause: this.#fault('413 too large, even for a single sample', 413) }
      const message = errorIn(response.text)
      // A proxy's 400 is no verdict on the data: only what InfluxDB itself says of them is. 2.x says 422 of a conflict or a point beyond the retention.
      const isInflux =
        'x-influxdb-version' in response.headers || 'x-influxdb-build' in response.headers || 'cluster-uuid' in response.headers
      if ((response.status === 400 || response.status === 422) && isInflux && isVerdict(message))
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

  /** Of the database's shards; 2.x and 3.x don't tell by this way. */
  async storageBytes(): Promise<number | null> {
    if (this.#address.version !== 1) return null
    const [found = []] = await this.query(['SHOW STATS'])
    return found
      .filter((s) => s.name === 'shard' && s.tags?.['database'] === this.#address.database)
      .reduce((sum, s) => sum + Number(s.values?.[0]?.[s.columns.indexOf('diskBytes')] ?? 0), 0)
  }

  async #query(statements: readonly string[]): Promise<InfluxSeries[][]> {
    const body = new URLSearchParams({ db: this.#address.database, epoch: 'ms', chunked: 'true', q: statements.join(';') })
    let status = 0
    try {
      const response = await this.#post('/query', { body, timeoutMs: QUERY_MS })
      status = response.status
      const { text } = response
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
    if (this.#address.version === 3) return
    if (this.#address.version === 2)
      throw new Fault(
        'HISTORY_UNREACHABLE',
        `${this.place}: the bucket, or its DBRP mapping for InfluxQL, is missing`,
        `make both: influx bucket create -n ${this.#address.database}; influx v1 dbrp create --db ${this.#address.database} --rp autogen --default --bucket-id …`,
      )
    const body = new URLSearchParams({ q: `CREATE DATABASE "${this.#address.database.replace(/["\\]/g, '\\$&')}"` })
    const response = await this.#post('/query', { body, timeoutMs: WRITE_MS })
    const error = errorIn(response.text)
    if (response.status !== 200 || error !== '')
      throw this.#fault(`the database is missing and can't be made: ${error || response.status}`, response.status)
  }

  #post(path: string, { body, timeoutMs }: { body: string | URLSearchParams; timeoutMs: number }): Promise<Answer> {
    const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/x-www-form-urlencoded'
    return this.#posts.post(path, { type, text: body.toString(), timeoutMs })
  }

  /** That it refused what only we can have made wrong. */
  fault(why: string): Fault {
    return this.#fault(why, 400)
  }

  #fault(why: string, status: number, cause?: unknown): Fault {
    if (why.includes('no space left on device')) {
      // InfluxDB 1.6 says so of every write until it is restarted, room or not.
      const mend = 'make room, end InfluxDB, run `npx sluice mend-wal` on its WAL folder, start it (docs/run-as-services.md)'
      return new Fault('DISK_FULL', `the disk of ${this.place} is full, or was (${why})`, mend, { cause })
    }
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
    if (last?.partial && last.name === series.name && JSON.stringify(last.tags) === JSON.stringify(series.tags)) {
      for (const row of series.values ?? []) last.values?.push(row)
      known[known.length - 1] = { ...last, partial: series.partial ?? false }
    } else known.push(series)
  }
  return known
}

/** @returns what the server says is wrong: of a body in JSON its `error`, else its beginning. */
function errorIn(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text)
    if (reply.Check(parsed)) {
      const first = parsed.data?.[0]?.error_message
      const said = parsed.message ?? parsed.error ?? parsed.results?.find((r) => r.error !== undefined)?.error ?? ''
      return first === undefined ? said : `${said}: ${first}`
    }
  } catch {
    // Not JSON: a proxy's page.
  }
  return text.slice(0, 200)
}

/** A limit on series or tag values is no fault of the data: somebody may raise it. */
const isVerdict = (message: string): boolean =>
  /^(partial write|unable to parse|field type conflict)|partial write:|partial write of line protocol|field type conflict/.test(message) &&
  !/limit exceeded/.test(message)

function droppedIn(message: string): number | null {
  const match = /dropped=(\d+)/.exec(message)
  return match ? Number(match[1]) : null
}

const whyOf = (error: unknown): string => systemCode(error) ?? messageOf(error instanceof Error && error.cause ? error.cause : error)
