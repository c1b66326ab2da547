import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip, type Gzip } from 'node:zlib'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Fault, messageOf } from '#contract/fault.ts'

/**
 * A backup is a gzip file of JSON lines: a head, rows of the registry's tables, samples and roll-ups by series, and an end with counts and the SHA-256 of
 * all bytes before it. It is written and read line by line, so that memory stays flat whatever its size.
 */
const Numbers = Type.Array(Type.Number())
const Head = Type.Object({
  kind: Type.Literal('sluice-backup'),
  format: Type.Literal(1),
  sluice: Type.String(),
  /** How many migrations have made the registry's tables. */
  registry_version: Type.Integer(),
  /** ms since 1970 UTC. */
  made_at: Type.Integer(),
})
/** Each row is JSON text as the database wrote it. */
const Rows = Type.Object({ kind: Type.Literal('rows'), table: Type.String(), rows: Type.Array(Type.String()) })
/** Columns of samples of one series, by time. Codes of quality and verdict as in the stores (docs/data.md). */
const Samples = Type.Object({
  kind: Type.Literal('samples'),
  gate: Type.String(),
  metric: Type.String(),
  t: Numbers,
  received: Numbers,
  value: Type.Array(Type.Union([Type.Number(), Type.Null()])),
  quality: Numbers,
  verdict: Numbers,
})
const Nullable = Type.Union([Type.Number(), Type.Null()])
const Point = Type.Union([Type.Object({ t: Type.Number(), v: Type.Number() }), Type.Null()])
const SliceLine = Type.Object({
  from: Type.Number(),
  count: Type.Number(),
  bad: Type.Number(),
  doubtful: Type.Number(),
  unreliable: Type.Number(),
  drawn: Type.Number(),
  min: Nullable,
  max: Nullable,
  sum: Type.Number(),
  reliableMin: Nullable,
  reliableMax: Nullable,
  first: Point,
  last: Point,
  area: Type.Number(),
  known: Type.Number(),
  estimated: Type.Number(),
  spread: Type.Number(),
  cutBefore: Type.Boolean(),
  cutAfter: Type.Boolean(),
})
/** Roll-ups whose samples are no longer kept. `width` in ms. */
const RollUps = Type.Object({
  kind: Type.Literal('roll-ups'),
  gate: Type.String(),
  metric: Type.String(),
  width: Type.Union([Type.Literal(60_000), Type.Literal(3_600_000), Type.Literal(86_400_000)]),
  slices: Type.Array(SliceLine),
})
const Counts = { rows: Type.Integer(), samples: Type.Integer(), roll_ups: Type.Integer() }
const End = Type.Object({ kind: Type.Literal('end'), ...Counts, sha256: Type.String() })

export type BackupHead = Static<typeof Head>
export type BackupBody = Static<typeof Rows> | Static<typeof Samples> | Static<typeof RollUps>
export type BackupCounts = { rows: number; samples: number; roll_ups: number }
export type BackupEnd = Static<typeof End>
const line = Compile(Type.Union([Head, Rows, Samples, RollUps, End]))

const PART = '.part'

/** Writes beside `path` first: a file of that name is always whole. @throws Fault CONFLICT, DISK_FULL */
export class BackupWriter {
  readonly #path: string
  readonly #gzip: Gzip
  readonly #piped: Promise<void>
  readonly #hash = createHash('sha256')
  readonly counts: BackupCounts = { rows: 0, samples: 0, roll_ups: 0 }

  private constructor(path: string) {
    this.#path = path
    this.#gzip = createGzip()
    // For the owner alone: it holds what the databases hold, keys and password hashes too.
    this.#piped = pipeline(this.#gzip, createWriteStream(path + PART, { mode: 0o600, flush: true }))
    // A full disk is told by the next write, or at the end.
    this.#piped.catch(() => undefined)
  }

  static async open(path: string, head: Omit<BackupHead, 'kind' | 'format'>): Promise<BackupWriter> {
    if (existsSync(path)) throw new Fault('CONFLICT', `${path} is there already`, 'name another file, or a folder')
    const writer = new BackupWriter(path)
    await writer.#line({ kind: 'sluice-backup', format: 1, ...head })
    return writer
  }

  async add(body: BackupBody): Promise<void> {
    if (body.kind === 'rows') this.counts.rows += body.rows.length
    if (body.kind === 'samples') this.counts.samples += body.t.length
    if (body.kind === 'roll-ups') this.counts.roll_ups += body.slices.length
    await this.#line(body)
  }

  /** @returns the checksum. */
  async finish(): Promise<string> {
    const sha256 = this.#hash.copy().digest('hex')
    await this.#line({ kind: 'end', ...this.counts, sha256 })
    this.#gzip.end()
    try {
      await this.#piped
      await rename(this.#path + PART, this.#path)
    } catch (error) {
      throw unwritable(this.#path, error)
    }
    return sha256
  }

  async abandon(): Promise<void> {
    this.#gzip.destroy()
    await this.#piped.catch(() => undefined)
    await rm(this.#path + PART, { force: true })
  }

  async #line(value: BackupHead | BackupBody | BackupEnd): Promise<void> {
    const text = `${JSON.stringify(value)}\n`
    this.#hash.update(text)
    if (this.#gzip.write(text)) return
    const drained = new Promise((resolve) => this.#gzip.once('drain', resolve))
    // A stream that has failed drains no more.
    await Promise.race([drained, this.#piped.then(() => undefined)]).catch((error: unknown) => {
      throw unwritable(this.#path, error)
    })
  }
}

const unwritable = (path: string, error: unknown): Fault =>
  error instanceof Fault
    ? error
    : new Fault('DISK_FULL', `the backup can not be written to ${path} (${messageOf(error)})`, 'name a file on a disk that has room', {
        cause: error,
      })

const damaged = (path: string, what: string, cause?: unknown): Fault =>
  new Fault('DATA_CORRUPT', `${path} is no whole backup: ${what}`, 'take another backup; nothing of this one was put back', { cause })

/** Reads the whole file. @throws Fault DATA_CORRUPT where a byte differs from what was written. */
export async function verifyBackup(path: string): Promise<{ head: BackupHead; end: BackupEnd }> {
  const hash = createHash('sha256')
  let head: BackupHead | undefined
  let end: BackupEnd | undefined
  for await (const text of linesOf(path)) {
    if (end) throw damaged(path, 'something follows its end')
    const value = parsed(path, text)
    if (value.kind === 'end') {
      end = value
      continue
    }
    if (!head && value.kind !== 'sluice-backup') throw damaged(path, 'it has no head')
    if (value.kind === 'sluice-backup') head = value
    hash.update(`${text}\n`)
  }
  if (!head || !end) throw damaged(path, 'it has no end: writing it was interrupted')
  const found = hash.digest('hex')
  if (found !== end.sha256) throw damaged(path, `its checksum is ${found}, not ${end.sha256}`)
  return { head, end }
}

/** What lies between head and end. */
export async function* readBackup(path: string): AsyncGenerator<BackupBody> {
  for await (const text of linesOf(path)) {
    const value = parsed(path, text)
    if (value.kind !== 'sluice-backup' && value.kind !== 'end') yield value
  }
}

function parsed(path: string, text: string): BackupHead | BackupBody | BackupEnd {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw damaged(path, 'a line of it is no JSON', cause)
  }
  if (!line.Check(value)) throw damaged(path, 'a line of it is of no known kind; a newer Sluice may read it')
  return value
}

// Not node:readline, which also ends a line at U+2028: a name may hold one.
async function* linesOf(path: string): AsyncGenerator<string> {
  const file = createReadStream(path)
  const gunzip = createGunzip()
  const piped = pipeline(file, gunzip)
  piped.catch(() => undefined)
  gunzip.setEncoding('utf8')
  let rest = ''
  try {
    for await (const chunk of gunzip) {
      const parts = (rest + String(chunk)).split('\n')
      rest = parts.pop() ?? ''
      yield* parts
    }
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw damaged(path, messageOf(cause), cause)
  }
  if (rest !== '') throw damaged(path, 'its last line is cut')
}
