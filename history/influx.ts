import { randomInt } from 'node:crypto'
import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import { readingOf } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { verdictOf } from '#contract/verdict.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, type OfGates, type RolledUp, type SliceSource, type Width } from './cells.ts'
import { type ChartSource, chartOf } from './chart.ts'
import { type Bucket, bucketOf, columnsOf } from './columns.ts'
import { InfluxBuilder } from './influx-build.ts'
import { MEASUREMENT, metricOfField, RECEIVED_FIELD } from './influx-fields.ts'
import { InfluxHttp, type InfluxSeries } from './influx-http.ts'
import { influxPast } from './influx-past.ts'
import {
  DRAWN,
  deleteBefore,
  type Fields,
  markLines,
  metricOfCount,
  ROLLUP_MEASUREMENTS,
  rolledUpOf,
  rollUpLine,
  SUMMED,
  selectBareSlices,
  selectSlices,
  slicesIn,
} from './influx-rollup.ts'
import { numberOf, rowsOf } from './influx-rows.ts'
import { type Written, writeLines } from './influx-write.ts'
import {
  bucketBad,
  bucketShadowed,
  bucketValues,
  countPoints,
  countSamples,
  lastQuality,
  lastValue,
  selectSamples,
  selectSamplesOf,
  showFields,
  showGates,
  type Where,
} from './influxql.ts'
import { type Line, linesOf } from './line-protocol.ts'
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
  type WriteOptions,
  type WriteOutcome,
} from './port.ts'
import { reckon } from './reckon.ts'
import { sift } from './sift.ts'
import type { Slice, SummedSlice } from './slice.ts'
import { type Count, pieces, type Span, wholeSpan } from './span.ts'

const LINES_PER_WRITE = 5000
/** Small enough that what a page was read into is gone before the collector takes it for old. */
const PAGE_POINTS = 2000
const GATES_PER_QUERY = 100
/** Fewer make more requests than the server has processors. */
const GATES_TOGETHER = 50
const STATEMENTS_PER_QUERY = 40
const RETRY_MS = 1000

/**
 * History in InfluxDB 1.x, 2.x or 3.x. A server that is away now is no error: it is asked at each use, and its database is made then.
 * A point has one receive time, that of its newest writing, so samples of one gate and time share it.
 * @throws Fault CONFIG_INVALID
 */
export async function openInflux(url: string, { log }: { log: Logger }): Promise<History> {
  const history = new InfluxHistory(new InfluxHttp(url))
  await history.ready().catch((error: unknown) => log.warn({ error: messageOf(error) }, 'history: not there yet; tried again at each use'))
  return history
}

class InfluxHistory implements History {
  readonly #http: InfluxHttp
  readonly #builder = new InfluxBuilder({
    query: (statements) => this.#http.query(statements),
    post: (lines) => this.#postAll(lines),
    metrics: () => this.#metrics(),
    samples: (gate, metrics, span) => this.samples({ gate, metrics, from: unixMs(span.from), to: unixMs(span.to) }),
  })
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

  constructor(http: InfluxHttp) {
    this.#http = http
  }

  async write(samples: readonly Sample[], options: WriteOptions): Promise<WriteOutcome> {
    const { storable, refused, reasons } = sift(samples, this.#keepFrom.samples)
    try {
      // A foreign node has no receipt to wait for, and would not send again what lies here unmarked because we died in between.
      if (options.rewrite) await this.#mark(storable)
    } catch (cause) {
      return { kind: 'unavailable', retryAfterMs: RETRY_MS, cause }
    }
    const written = await this.#writeAll(linesOf(storable), options)
    if (written.kind === 'unavailable') return { kind: 'unavailable', retryAfterMs: RETRY_MS, cause: written.cause }
    try {
      await this.#mark(storable)
    } catch (cause) {
      return { kind: 'unavailable', retryAfterMs: RETRY_MS, cause }
    }
    const all = [...refused, ...written.refused]
    return all.length === 0 ? { kind: 'kept' } : { kind: 'refused', samples: all, reason: [...reasons, ...written.reasons].join('; ') }
  }

  /** Durable when it resolves: from then on the roll-ups of the windows that these samples touch do not count until they are built again. */
  async #mark(samples: readonly Sample[]): Promise<void> {
    if (samples.length === 0) return
    this.#builder.touch(samples)
    await this.#postAll(markLines(samples, randomInt(2 ** 47)))
  }

  async #postAll(lines: readonly string[]): Promise<void> {
    for (const part of chunks(lines, LINES_PER_WRITE)) {
      const posted = await this.#http.post(part.join('\n'))
      // Beyond the retention of roll-ups nobody asks for them.
      if (posted.kind === 'refused' && isBeyondRetention(posted.message)) continue
      if (posted.kind === 'refused') throw this.#http.fault(posted.message)
      if (posted.kind !== 'kept') throw posted.cause
    }
  }

  async #writeAll(lines: readonly Line[], { rewrite }: WriteOptions): Promise<Written> {
    const refused: Sample[] = []
    const reasons = new Set<string>()
    for (const part of chunks(lines, LINES_PER_WRITE)) {
      const written = await writeLines(part, { rewrite, post: (body) => this.#http.post(body) })
      if (written.kind === 'unavailable') return written
      refused.push(...written.refused)
      for (const reason of written.reasons) reasons.add(reason)
    }
    return { kind: 'done', refused, reasons: [...reasons] }
  }

  async latest(gates: readonly string[]): Promise<Sample[]> {
    const metrics = gates.length === 0 ? [] : await this.#metrics()
    const newest = new Map<string, Sample>()
    for (const some of chunks([...new Set(gates)], GATES_PER_QUERY)) {
      const statements = metrics.flatMap((metric) => [
        { metric, text: lastValue(metric, some) },
        { metric, text: lastQuality(metric, some) },
      ])
      for (const part of chunks(statements, STATEMENTS_PER_QUERY)) {
        const results = await this.#http.query(part.map((s) => s.text))
        for (const [i, { metric }] of part.entries())
          for (const sample of samplesIn(results[i] ?? [], metric)) {
            const key = `${sample.gate} ${metric}`
            if (sample.t >= (newest.get(key)?.t ?? 0)) newest.set(key, sample)
          }
      }
    }
    return [...newest.values()]
  }

  range(query: RangeQuery): Promise<RangeColumns> {
    return chartOf(this.#charts, query)
  }

  async #rangeFromSamples(query: RangeQuery): Promise<RangeColumns> {
    const metrics = [...new Set(query.metrics)]
    const at = { gate: query.gate, span: wholeSpan(query) }
    if (metrics.length === 0 || at.span.from >= at.span.to) return columnsOf([], { metrics, bucketMs: 0 })
    const counts = await this.#http.query(metrics.map((metric) => countSamples(metric, at)))
    // A sample with both a value and a quality is counted twice here: then there are buckets where raw would just have done.
    const bucketMs = bucketMsFor(query, Math.max(...counts.map((c) => sumOf(c, ['v', 'q']))))
    const buckets =
      bucketMs === 0
        ? (await this.#page(metrics, { ...at, received: 'without received' })).map(bucketOf)
        : (await Promise.all(metrics.map((metric) => this.#buckets(metric, { ...at, bucketMs })))).flat()
    return columnsOf(buckets, { metrics, bucketMs })
  }

  async past(query: PastQuery): Promise<PastSeries[]> {
    const metrics = query.gates.length === 0 ? [] : await this.#metrics()
    const parts = [...chunks([...new Set(query.gates)], GATES_TOGETHER)]
    const found = await Promise.all(parts.map((gates) => influxPast((s) => this.#http.query(s), metrics, { ...query, gates })))
    return found.flat()
  }

  aggregate(query: AggregateQuery): Promise<ReadonlyMap<string, readonly Aggregate[]>> {
    return reckon(this.#source, query)
  }

  async *samples({ gate, metrics, from, to }: Omit<RangeQuery, 'points'>): AsyncGenerator<Sample> {
    const asked = [...new Set(metrics)]
    if (asked.length === 0) return
    for await (const span of this.#pieces(gate, wholeSpan({ from, to }))) {
      yield* await this.#page(asked, { gate, span, received: 'with received' })
    }
  }

  rollUp(before: number): Promise<void> {
    return this.#builder.build(before)
  }

  async expire(before: KeepFrom): Promise<void> {
    // What samples tell must be in their roll-ups before they go.
    await this.rollUp(before.samples)
    const statements = [
      deleteBefore(MEASUREMENT, before.samples),
      deleteBefore(ROLLUP_MEASUREMENTS[MINUTE_MS], before.minutes),
      deleteBefore(ROLLUP_MEASUREMENTS[HOUR_MS], before.hours),
      deleteBefore(ROLLUP_MEASUREMENTS[DAY_MS], before.hours),
    ]
    await this.#http.query(statements)
    this.#keepFrom = before
  }

  async contents(): Promise<{ gates: string[]; metrics: string[] }> {
    const rollUps = Object.values(ROLLUP_MEASUREMENTS)
    const gates = await this.#http.query([MEASUREMENT, ...rollUps].map(showGates))
    const fields = await this.#http.query(rollUps.map((measurement) => showFields(measurement)))
    const rolledUp = fields
      .flat()
      .flatMap(rowsOf)
      .flatMap(({ fieldKey }) => (typeof fieldKey === 'string' ? [metricOfCount(fieldKey) ?? []].flat() : []))
    const named = gates
      .flat()
      .flatMap(rowsOf)
      .flatMap(({ value }) => (typeof value === 'string' ? [value] : []))
    return { gates: [...new Set(named)], metrics: [...new Set([...(await this.#metrics()), ...rolledUp])] }
  }

  async *rollUps({ gate, metric, width }: RollUpsOf, before: number): AsyncGenerator<Slice> {
    const to = before - (before % width)
    for (let from = 0; ; ) {
      const [found = []] = await this.#http.query([selectBareSlices(width, { gate, metric, span: { from, to } }, PAGE_POINTS)])
      const slices = slicesIn(found)
      yield* slices
      const last = slices.at(-1)
      if (!last) return
      from = last.from + width
    }
  }

  async putRollUps({ gate, metric, width }: RollUpsOf, slices: readonly Slice[]): Promise<void> {
    // No mark: the window counts as long as no sample touches it.
    await this.#postAll(
      slices.flatMap((slice) => rollUpLine(width, { gate, from: slice.from, done: null }, new Map([[metric, slice]])) ?? []),
    )
  }

  async storageBytes(): Promise<number | null> {
    return await this.#http.storageBytes()
  }

  async ready(): Promise<void> {
    await this.#http.query([showFields()])
  }

  async close(): Promise<void> {
    this.#http.close()
  }

  async #ofGates(of: OfGates, statement: (some: OfGates) => string): Promise<InfluxSeries[]> {
    // In requests of their own: the server works on one statement after the other of a request, and on several requests at once.
    const parts = [...chunks([...of.gates], GATES_TOGETHER)]
    const found = await Promise.all(parts.map((gates) => this.#http.query([statement({ ...of, gates })])))
    return found.flat(2)
  }

  async #rolledUp<S extends { readonly from: number }>(level: Width, of: OfGates, fields: Fields<S>): Promise<Map<string, RolledUp<S>>> {
    return rolledUpOf(await this.#ofGates(of, (some) => selectSlices(level, some, fields)), fields)
  }

  async #samplesOf(of: OfGates): Promise<Map<string, Sample[]>> {
    const found = await this.#ofGates(of, (some) => selectSamplesOf(of.metric, some))
    return new Map(found.map((series) => [series.tags?.['gate'] ?? '', samplesIn([series], of.metric)]))
  }

  async #metrics(): Promise<string[]> {
    const [series = []] = await this.#http.query([showFields()])
    const fields = series.flatMap((s) => rowsOf(s).flatMap(({ fieldKey }) => (typeof fieldKey === 'string' ? [fieldKey] : [])))
    return [...new Set(fields.flatMap((field) => metricOfField(field) ?? []))]
  }

  #pieces(gate: string, span: Span): AsyncGenerator<Span> {
    return pieces(span, {
      most: PAGE_POINTS,
      countBy: async (part, bucketMs): Promise<Count[]> => {
        const [series = []] = await this.#http.query([countPoints({ gate, span: part }, bucketMs)])
        return series.flatMap((s) => rowsOf(s).map((row) => ({ t: Number(row['time']), count: Number(row['n']) })))
      },
    })
  }

  async #page(metrics: readonly string[], at: Where & { received: 'with received' | 'without received' }): Promise<Sample[]> {
    const [series = []] = await this.#http.query([selectSamples(metrics, at)])
    const cells = metrics.map((metric, i): Cells => ({ metric, v: `v${i}`, q: `q${i}`, w: `w${i}` }))
    return series.flatMap((s) => samplesOf(s, at.gate, cells))
  }

  async #buckets(metric: string, at: Where & { bucketMs: number }): Promise<Bucket[]> {
    const [values = [], bad = [], shadowed = []] = await this.#http.query([
      bucketValues(metric, at),
      bucketBad(metric, at),
      bucketShadowed(metric, at),
    ])
    const buckets = new Map<number, Bucket>()
    for (const row of values.flatMap(rowsOf)) {
      const t = Number(row['time'])
      buckets.set(t, { t, metric, min: numberOf(row['low']), max: numberOf(row['high']), mean: numberOf(row['mean']), bad: 0 })
    }
    for (const row of bad.flatMap(rowsOf)) {
      const t = Number(row['time'])
      buckets.set(t, { ...(buckets.get(t) ?? { t, metric, min: null, max: null, mean: null }), bad: Number(row['n']) })
    }
    for (const row of shadowed.flatMap(rowsOf)) {
      const t = Number(row['time'])
      const span = { from: Math.max(t, at.span.from), to: Math.min(t + at.bucketMs, at.span.to) }
      buckets.set(t, await this.#bucketOfSamples(t, { metric, gate: at.gate, span }))
    }
    return [...buckets.values()]
  }

  /** A bucket from its samples, for those in which a BAD was written over a value. */
  async #bucketOfSamples(t: number, { metric, gate, span }: Where & { metric: string }): Promise<Bucket> {
    let [min, max, sum, count, bad] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0]
    for await (const sample of this.samples({ gate, metrics: [metric], from: unixMs(span.from), to: unixMs(span.to) })) {
      const one = bucketOf(sample)
      bad += one.bad
      if (one.mean === null) continue
      min = Math.min(min, one.mean)
      max = Math.max(max, one.mean)
      sum += one.mean
      count++
    }
    return count === 0 ? { t, metric, min: null, max: null, mean: null, bad } : { t, metric, min, max, mean: sum / count, bad }
  }
}

const isBeyondRetention = (message: string): boolean => /beyond retention policy/.test(message)

const samplesIn = (found: readonly InfluxSeries[], metric: string): Sample[] =>
  found.flatMap((series) => samplesOf(series, series.tags?.['gate'] ?? '', [{ metric, v: 'v', q: 'q', w: 'w' }]))

/** The columns in which a metric's value, quality and verdict stand. */
type Cells = { readonly metric: string; readonly v: string; readonly q: string; readonly w: string }

/** The samples in the rows of a series, time by time. The quality wins over the value. An export reads millions: no object for each row. */
function samplesOf({ columns, values = [] }: InfluxSeries, gate: string, cells: readonly Cells[]): Sample[] {
  const at = (column: string): number => columns.indexOf(column)
  const [time, rx] = [at('time'), at(RECEIVED_FIELD)]
  const places = cells.map(({ metric, v, q, w }) => ({ metric, v: at(v), q: at(q), w: at(w) }))
  const samples: Sample[] = []
  for (const row of values) {
    const t = unixMs(Number(row[time]))
    const received = unixMs(numberOf(row[rx]) ?? t)
    for (const { metric, v, q, w } of places) {
      const [value, quality] = [numberOf(row[v]), numberOf(row[q])]
      if (value === null && quality === null) continue
      const sample: Sample = { gate, metric, t, received, reading: readingOf(value, quality ?? 0) }
      const verdict = verdictOf(numberOf(row[w]) ?? 0)
      samples.push(verdict ? { ...sample, verdict } : sample)
    }
  }
  return samples
}

const sumOf = (found: readonly InfluxSeries[], columns: readonly string[]): number =>
  found.flatMap(rowsOf).reduce((sum, row) => sum + columns.reduce((n, column) => n + (numberOf(row[column]) ?? 0), 0), 0)

function* chunks<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let i = 0; i < all.length; i += size) yield all.slice(i, i + size)
}
