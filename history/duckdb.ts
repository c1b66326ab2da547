import { BIGINT, DOUBLE, DuckDBDataChunk, type DuckDBConnection, type DuckDBValue, INTEGER, SMALLINT } from '@duckdb/node-api'
import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import { drawable, qualityCode, readingOf } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { type Bucket, bucketOf, columnsOf } from './columns.ts'
import { DuckDbFile, needsReopening } from './duckdb-file.ts'
import { bucketMsFor, type History, type RangeColumns, type RangeQuery, type Sample, type WriteOutcome } from './port.ts'
import { SeriesNumbers } from './series.ts'
import { sift } from './sift.ts'
import { pieces, type Span, wholeSpan } from './span.ts'

/** About one row group of DuckDB: fewer would make many small ones, more would make reads of what is recent slow. */
const MERGE_ROWS = 100_000
const PAGE_ROWS = 10_000
const CHUNK_ROWS = 2048
const RETRY_MS = 1000

/** What a connection to the file has in memory beside it: all of it read from the file, all of it changed only after a commit. */
type Opened = {
  readonly file: DuckDbFile
  readonly series: SeriesNumbers
  /** The newest sample of each series. */
  readonly latest: Map<number, Sample>
  /** Rows in `recent`, and the number that the next one gets. */
  recentRows: number
  nextN: bigint
}

export type DuckDbDeps = { readonly log: Logger; readonly mergeRows?: number }

/**
 * History in one DuckDB file. A write appends to `recent` and is kept when its commit is synced; the row with the highest `n` of a series
 * and time counts. From time to time `recent` is merged into `archive`, sorted by series and time, and replaces there what has the same key.
 * No primary key: over the archive it would be slow and large, and appending without one is faster than any upsert, also to replay after a crash.
 * @throws Fault DATA_IN_USE, DATA_CORRUPT, DISK_FULL, CONFIG_INVALID
 */
export async function openDuckDb(path: string, deps: DuckDbDeps): Promise<History> {
  return new DuckDbHistory(await openFile(path), deps)
}

class DuckDbHistory implements History {
  readonly #path: string
  readonly #log: Logger
  readonly #mergeRows: number
  #opened: Opened | undefined
  #opening: Promise<Opened> | undefined
  /** The writer's work, one after the other. */
  #queue: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(opened: Opened, { log, mergeRows = MERGE_ROWS }: DuckDbDeps) {
    this.#path = opened.file.path
    this.#log = log
    this.#mergeRows = mergeRows
    this.#opened = opened
  }

  async write(samples: readonly Sample[]): Promise<WriteOutcome> {
    const { storable, refused, reasons } = sift(samples)
    try {
      if (storable.length > 0) await this.#inTurn(() => this.#append(storable))
    } catch (error) {
      return { kind: 'unavailable', retryAfterMs: RETRY_MS, cause: error }
    }
    return refused.length === 0 ? { kind: 'kept' } : { kind: 'refused', samples: refused, reason: reasons.join('; ') }
  }

  async latest(gates: readonly string[]): Promise<Sample[]> {
    const { series, latest } = await this.#open()
    return [...new Set(gates)].flatMap((gate) => [...series.ofGate(gate)].flatMap((id) => latest.get(id) ?? []))
  }

  async range(query: RangeQuery): Promise<RangeColumns> {
    const opened = await this.#open()
    const metrics = [...new Set(query.metrics)]
    const asked = { span: wholeSpan(query), ids: idsOf(opened.series, { ...query, metrics }) }
    const nothing = columnsOf([], { metrics, bucketMs: 0 })
    if (asked.ids.length === 0 || asked.span.from >= asked.span.to) return nothing
    return await this.#read(opened, async (reader) => {
      const counts = await rows(reader, `${samplesSql(asked)} select count(*) from s group by series`)
      const most = Math.max(0, ...counts.map(([count]) => Number(count)))
      const bucketMs = bucketMsFor(query, most)
      if (most === 0) return nothing
      const buckets =
        bucketMs === 0 ? (await readSamples(reader, { opened, ...asked })).map(bucketOf) : await readBuckets(reader, { opened, ...asked, bucketMs })
      return columnsOf(buckets, { metrics, bucketMs })
    })
  }

  async *samples(query: Omit<RangeQuery, 'points'>): AsyncGenerator<Sample> {
    const opened = await this.#open()
    const ids = idsOf(opened.series, query)
    if (ids.length === 0) return
    const countBy = (span: Span, bucketMs: number) =>
      this.#read(opened, async (reader) => {
        const counts = await rows(reader, `${samplesSql({ span, ids })} select t - t % ${bucketMs} as b, count(*) from s group by b order by b`)
        return counts.map(([t, count]) => ({ t: Number(t), count: Number(count) }))
      })
    for await (const span of pieces(wholeSpan(query), { most: PAGE_ROWS, countBy })) {
      yield* await this.#read(opened, (reader) => readSamples(reader, { opened, span, ids }))
    }
  }

  async ready(): Promise<void> {
    const opened = await this.#open()
    await this.#read(opened, (reader) => reader.run('select 1'))
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#queue.catch(() => undefined)
    await this.#opened?.file.close()
  }

  async #append(samples: readonly Sample[]): Promise<void> {
    const opened = await this.#open()
    const { writer } = opened.file
    const added = opened.series.missing(samples)
    await this.#commit(opened, async () => {
      await appendSeries(writer, added)
      await appendSamples(writer, { opened, added, samples })
    })
    for (const one of added) opened.series.add(one)
    opened.nextN += BigInt(samples.length)
    opened.recentRows += samples.length
    for (const sample of samples) keepNewest(opened, sample)
    if (opened.recentRows >= this.#mergeRows) this.#mergeSoon()
  }

  /** After the write that called for it has been answered: what is in `recent` is kept already. */
  #mergeSoon(): void {
    this.#inTurn(() => this.#merge()).catch((error: unknown) =>
      this.#log.warn({ error: messageOf(error), file: this.#path }, 'history: merging was put off'),
    )
  }

  async #merge(): Promise<void> {
    const opened = await this.#open()
    if (opened.recentRows < this.#mergeRows) return
    await this.#commit(opened, () => merge(opened.file.writer))
    opened.recentRows = 0
  }

  async #commit(opened: Opened, work: () => Promise<void>): Promise<void> {
    const { writer } = opened.file
    try {
      await writer.run('begin')
      await work()
      await writer.run('commit')
    } catch (error) {
      // A commit that failed has ended its transaction; whatever else failed has not.
      await writer.run('rollback').catch(() => undefined)
      await this.#dropIfInvalid(opened, error)
      throw error
    }
  }

  async #read<T>(opened: Opened, work: (reader: DuckDBConnection) => Promise<T>): Promise<T> {
    try {
      return await opened.file.read(work)
    } catch (error) {
      await this.#dropIfInvalid(opened, error)
      throw error
    }
  }

  async #dropIfInvalid(opened: Opened, error: unknown): Promise<void> {
    if (!needsReopening(error) || this.#opened !== opened) return
    this.#log.error({ error: messageOf(error), file: this.#path }, 'history: DuckDB gave up; the file is opened again')
    this.#opened = undefined
    await opened.file.close()
  }

  async #open(): Promise<Opened> {
    if (this.#opened) return this.#opened
    this.#opening ??= openFile(this.#path).finally(() => {
      this.#opening = undefined
    })
    this.#opened = await this.#opening
    return this.#opened
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(() => {
      if (this.#closed) throw new Error('the history is closed')
      return work()
    })
    this.#queue = turn.catch(() => undefined)
    return turn
  }
}
