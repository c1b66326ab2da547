import { statSync } from 'node:fs'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Logger } from 'pino'
import { Fault, messageOf } from '#contract/fault.ts'
import { MINUTE_MS, type OfGates, type SliceSource, type Width } from './cells.ts'
import { type ChartSource, chartOf } from './chart.ts'
import { bucketOf, columnsOf } from './columns.ts'
import { DuckDbFile, duckDbFault, needsReopening, type Writer } from './duckdb-file.ts'
import { readPast } from './duckdb-past.ts'
import { appendSlices, type Columns, DRAWN, deleteBefore, readRolledUp, readSlices, SUMMED } from './duckdb-rollup.ts'
import {
  appendSamples,
  appendSeries,
  countBy,
  countMost,
  merge,
  readBuckets,
  readLatest,
  readRecentSize,
  readSamples,
  readSeries,
} from './duckdb-rows.ts'
import {
  type Aggregate,
  type AggregateQuery,
  bucketMsFor,
  type History,
  type KeepFrom,
  type PastQuery,
  type PastSeries,
  type RangeColumns,
  type RangeQuery,
  type RollUpsOf,
  type Sample,
  type WriteOutcome,
} from './port.ts'
import { reckon } from './reckon.ts'
import type { SeriesNumbers } from './series.ts'
import { sift } from './sift.ts'
import type { Slice, SummedSlice } from './slice.ts'
import { pieces, wholeSpan } from './span.ts'

/** Nearly two row groups of DuckDB: fewer would roll up the same days more often, more would make what is recent slow to read. */
const MERGE_ROWS = 200_000
/** With so many times the rows that call for a merge, what comes in waits for it: what is recent is slow to read. */
const MOST_MERGES_BEHIND = 4
const PAGE_ROWS = 10_000
const RETRY_MS = 1000

/** What is in memory of an open file: read from it, and changed only after a commit. */
type Opened = {
  readonly file: DuckDbFile
  readonly series: SeriesNumbers
  /** The newest sample of each series. */
  readonly latest: Map<number, Sample>
  recentRows: number
  nextN: bigint
}

export type DuckDbDeps = {
  readonly log: Logger
  /** Rows in `recent` that call for a merge. */
  readonly mergeRows?: number
}

/**
 * History in one DuckDB file. A write appends to `recent` and is kept when its commit is synced; of rows with the same series and time the
 * one with the highest `n` counts. From time to time `recent` is merged into `archive`, sorted by series and time, where it replaces what has
 * the same key: on a connection of its own, so that what comes in does not wait for it. No primary key: over the archive it would be slow and
 * large, and an append is faster than an upsert and simpler to replay after a crash. The newest sample of each series is in memory.
 * @throws Fault DATA_IN_USE, DATA_CORRUPT, DISK_FULL, CONFIG_INVALID
 */
export async function openDuckDb(path: string, deps: DuckDbDeps): Promise<History> {
  return new DuckDbHistory(await openFile(path, deps.log), deps)
}

async function openFile(path: string, log: Logger): Promise<Opened> {
  const file = await DuckDbFile.open(path, log)
  try {
    return await file.read(async (reader) => {
      const series = await readSeries(reader)
      const opened: Opened = { file, series, latest: new Map(), ...(await readRecentSize(reader)) }
      for (const sample of await readLatest(reader, series)) keepNewest(opened, sample)
      return opened
    })
  } catch (error) {
    await file.close()
    throw error
  }
}

function keepNewest({ series, latest }: Opened, sample: Sample): void {
  const id = series.number(sample)
  if (id === undefined) return
  const known = latest.get(id)
  if (!known || sample.t >= known.t) latest.set(id, sample)
}

class DuckDbHistory implements History {
  readonly #path: string
  readonly #log: Logger
  readonly #mergeRows: number
  #opened: Opened | undefined
  #opening: Promise<Opened> | undefined
  /** The closing of a file that DuckDB gave up: it must be over before the file is opened again. */
  #leaving: Promise<void> = Promise.resolve()
  #keepFrom: KeepFrom = { samples: 0, minutes: 0, hours: 0 }
  readonly #source: SliceSource<SummedSlice> = {
    rolledUp: (level, of) => this.#rolledUp(level, of, SUMMED),
    samplesOf: (of) => this.#samplesOf(of),
  }
  readonly #charts: ChartSource = {
    samplesFrom: () => this.#keepFrom.samples,
    rolledUp: (level, of) => this.#rolledUp(level, of, DRAWN),
    minutesOf: async (of) => new Map([...(await this.#rolledUp(MINUTE_MS, of, DRAWN))].map(([gate, { slices }]) => [gate, slices])),
    samplesOf: (of) => this.#samplesOf(of),
    fromSamples: (query) => this.#rangeFromSamples(query),
  }
  /** What is under way and waits, of each kind of writing: one after the other. */
  readonly #queues: Record<Writer, Promise<unknown>> = { append: Promise.resolve(), upkeep: Promise.resolve() }
  #merging: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(opened: Opened, { log, mergeRows = MERGE_ROWS }: DuckDbDeps) {
    this.#path = opened.file.path
    this.#log = log
    this.#mergeRows = mergeRows
    this.#opened = opened
  }

  async write(samples: readonly Sample[]): Promise<WriteOutcome> {
    const { storable, refused, reasons } = sift(samples, this.#keepFrom.samples)
    try {
      if (storable.length > 0) await this.#inTurn('append', () => this.#append(storable))
    } catch (error) {
      return { kind: 'unavailable', retryAfterMs: RETRY_MS, cause: duckDbFault(error, this.#path) }
    }
    return refused.length === 0 ? { kind: 'kept' } : { kind: 'refused', samples: refused, reason: reasons.join('; ') }
  }

  async latest(gates: readonly string[]): Promise<Sample[]> {
    const { series, latest } = await this.#open()
    return [...new Set(gates)].flatMap((gate) => [...series.ofGate(gate)].flatMap((id) => latest.get(id) ?? []))
  }

  range(query: RangeQuery): Promise<RangeColumns> {
    return chartOf(this.#charts, query)
  }

  async #rangeFromSamples(query: RangeQuery): Promise<RangeColumns> {
    const { series } = await this.#open()
    const metrics = [...new Set(query.metrics)]
    const asked = { series, span: wholeSpan(query), ids: series.numbers(query.gate, metrics) }
    if (asked.ids.length === 0 || asked.span.from >= asked.span.to) return columnsOf([], { metrics, bucketMs: 0 })
    return await this.#read(async (reader) => {
      const bucketMs = bucketMsFor(query, await countMost(reader, asked))
      const buckets = bucketMs === 0 ? (await readSamples(reader, asked)).map(bucketOf) : await readBuckets(reader, asked, bucketMs)
      return columnsOf(buckets, { metrics, bucketMs })
    })
  }

  async past(query: PastQuery): Promise<PastSeries[]> {
    const { series } = await this.#open()
    const ids = [...new Set(query.gates)].flatMap((gate) => [...series.ofGate(gate)])
    return ids.length === 0 ? [] : await this.#read((reader) => readPast(reader, { series, ids, query }))
  }

  aggregate(query: AggregateQuery): Promise<ReadonlyMap<string, readonly Aggregate[]>> {
    return reckon(this.#source, query)
  }

  /** In pieces of bounded size, so that a long export neither fills the memory nor holds up a checkpoint. */
  async *samples(query: Omit<RangeQuery, 'points'>): AsyncGenerator<Sample> {
    const { series } = await this.#open()
    const ids = series.numbers(query.gate, query.metrics)
    if (ids.length === 0) return
    const cut = pieces(wholeSpan(query), {
      most: PAGE_ROWS,
      countBy: (span, bucketMs) => this.#read((reader) => countBy(reader, { series, span, ids }, bucketMs)),
    })
    for await (const span of cut) yield* await this.#read((reader) => readSamples(reader, { series, span, ids }))
  }

  /** A merge rolls up what it moves, in its transaction: there is nothing else to do than to merge what is there. */
  async rollUp(): Promise<void> {
    await this.#inTurn('upkeep', () => this.#merge(1))
  }

  async #rolledUp<S>(
    level: Width,
    { gates, metric, span }: OfGates,
    columns: Columns<S>,
  ): Promise<Map<string, { slices: S[]; stale: Set<number> }>> {
    const { series } = await this.#open()
    const found = new Map<string, { slices: S[]; stale: Set<number> }>()
    const ids = gates.flatMap((gate) => series.number({ gate, metric }) ?? [])
    if (ids.length === 0) return found
    const { slices, stale } = await this.#read((reader) => readRolledUp(reader, { level, ids, span, columns }))
    const of = (id: number) => {
      const gate = series.name(id)?.gate ?? ''
      const known = found.get(gate) ?? { slices: [], stale: new Set<number>() }
      found.set(gate, known)
      return known
    }
    for (const { id, slice } of slices) of(id).slices.push(slice)
    for (const { id, w } of stale) of(id).stale.add(w)
    return found
  }

  async #samplesOf({ gates, metric, span }: OfGates): Promise<Map<string, Sample[]>> {
    const { series } = await this.#open()
    const found = new Map<string, Sample[]>(gates.map((gate) => [gate, []]))
    const ids = gates.flatMap((gate) => series.number({ gate, metric }) ?? [])
    if (ids.length === 0) return found
    const samples = await this.#read((reader) => readSamples(reader, { series, span, ids }))
    for (const sample of samples) found.get(sample.gate)?.push(sample)
    return found
  }

  async expire(before: KeepFrom): Promise<void> {
    // What is in `recent` must be in its roll-ups before its samples go.
    await this.rollUp()
    await this.#inTurn('upkeep', async () => {
      await this.#commit(await this.#open(), 'upkeep', (writer) => deleteBefore(writer, before))
      this.#keepFrom = before
    })
  }

  async contents(): Promise<{ gates: string[]; metrics: string[] }> {
    const names = [...(await this.#open()).series]
    return { gates: [...new Set(names.map((s) => s.gate))], metrics: [...new Set(names.map((s) => s.metric))] }
  }

  async *rollUps(of: RollUpsOf, before: number): AsyncGenerator<Slice> {
    const { width } = of
    const id = (await this.#open()).series.number(of)
    if (id === undefined) return
    const to = before - (before % width)
    for (let from = 0; ; ) {
      const slices = await this.#read((reader) => readSlices(reader, { width, id, span: { from, to }, most: PAGE_ROWS }))
      yield* slices
      const last = slices.at(-1)
      if (!last) return
      from = last.from + width
    }
  }

  async putRollUps(of: RollUpsOf, slices: readonly Slice[]): Promise<void> {
    const id = await this.#inTurn('append', () => this.#numberOf(of))
    await this.#inTurn('upkeep', async () => {
      await this.#commit(await this.#open(), 'upkeep', (writer) => appendSlices(writer, { width: of.width, id, slices }))
    })
  }

  async #numberOf(of: RollUpsOf): Promise<number> {
    const opened = await this.#open()
    const { series } = opened
    const added = series.missing([of])
    if (added.size > 0) await this.#commit(opened, 'append', (writer) => appendSeries(writer, added))
    for (const one of added) series.add(one)
    return series.number(of) ?? -1
  }

  async storageBytes(): Promise<number | null> {
    return [this.#path, `${this.#path}.wal`].reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0)
  }

  async ready(): Promise<void> {
    await this.#read((reader) => reader.run('select 1'))
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  async #closeAll(): Promise<void> {
    await Promise.all(Object.values(this.#queues))
    await this.#opening?.catch(() => undefined)
    await this.#leaving
    await this.#opened?.file.close()
  }

  async #append(samples: readonly Sample[]): Promise<void> {
    const opened = await this.#open()
    if (opened.recentRows >= MOST_MERGES_BEHIND * this.#mergeRows) await this.#mergeSoon()
    const { series, nextN } = opened
    const added = series.missing(samples)
    const ids = samples.map((s) => series.number(s) ?? added.number(s) ?? -1)
    await this.#commit(opened, 'append', async (writer) => {
      if (added.size > 0) await appendSeries(writer, added)
      await appendSamples(writer, { samples, ids, n: nextN })
    })
    for (const one of added) series.add(one)
    opened.nextN += BigInt(samples.length)
    opened.recentRows += samples.length
    for (const sample of samples) keepNewest(opened, sample)
    if (opened.recentRows >= this.#mergeRows) void this.#mergeSoon()
  }

  /** Beside what comes in. One that fails is tried again by the next write: what is in `recent` is kept already. */
  #mergeSoon(): Promise<void> {
    this.#merging ??= this.#inTurn('upkeep', () => this.#merge(this.#mergeRows))
      .catch((error: unknown) => this.#log.warn({ error: messageOf(error), file: this.#path }, 'history: merging was put off'))
      .finally(() => {
        this.#merging = undefined
      })
    return this.#merging
  }

  async #merge(fromRows: number): Promise<void> {
    const opened = await this.#open()
    const { recentRows, nextN } = opened
    if (recentRows < fromRows) return
    await this.#commit(opened, 'upkeep', (writer) => merge(writer, nextN))
    opened.recentRows -= recentRows
  }

  async #commit(opened: Opened, kind: Writer, work: (writer: DuckDBConnection) => Promise<void>): Promise<void> {
    try {
      await opened.file.write(kind, work)
    } catch (error) {
      this.#leaveIfInvalid(opened, error)
      throw error
    }
  }

  async #read<T>(work: (reader: DuckDBConnection) => Promise<T>): Promise<T> {
    const opened = await this.#open()
    try {
      return await opened.file.read(work)
    } catch (error) {
      this.#leaveIfInvalid(opened, error)
      throw error
    }
  }

  #leaveIfInvalid(opened: Opened, error: unknown): void {
    if (!needsReopening(error) || this.#opened !== opened) return
    this.#log.error({ error: messageOf(error), file: this.#path }, 'history: DuckDB gave up the file; it is opened again')
    this.#opened = undefined
    this.#leaving = opened.file.close()
  }

  async #open(): Promise<Opened> {
    if (this.#closing !== undefined) throw new Fault('HISTORY_UNREACHABLE', `the history in ${this.#path} is closed`, 'open it again')
    if (this.#opened) return this.#opened
    this.#opening ??= this.#leaving
      .then(() => openFile(this.#path, this.#log))
      .then((opened) => {
        this.#opened = opened
        return opened
      })
      .finally(() => {
        this.#opening = undefined
      })
    return await this.#opening
  }

  #inTurn<T>(kind: Writer, work: () => Promise<T>): Promise<T> {
    const turn = this.#queues[kind].then(work)
    this.#queues[kind] = turn.catch(() => undefined)
    return turn
  }
}
