import { LONGEST_BRIDGED } from './aggregate.ts'
import { DAY_MS, HOUR_MS, type Level, MINUTE_MS, type Width } from './cells.ts'
import { MINUTES_FROM_COUNT } from './chart.ts'
import type { InfluxSeries } from './influx-http.ts'
import { rolledUpOf, rollUpLine, selectMarks, selectSlices, staleMarks, WHOLE, windowsOf } from './influx-rollup.ts'
import type { Sample } from './port.ts'
import { join, type Slice, slicesOf } from './slice.ts'

export type BuildDeps = {
  readonly query: (statements: readonly string[]) => Promise<InfluxSeries[][]>
  /** Resolves when the server has the lines. @throws Fault HISTORY_UNREACHABLE */
  readonly post: (lines: readonly string[]) => Promise<void>
  readonly metrics: () => Promise<string[]>
  readonly samples: (gate: string, metrics: readonly string[], span: { from: number; to: number }) => AsyncIterable<Sample>
}

/** So many hours of a gate are built together. */
const HOURS_AT_ONCE = 24
/** So far back is looked for windows that a builder left when it ended. */
const LOOK_BACK_DAYS = 400
const LOOK_BACK_STEP_DAYS = 20
/** Of several workers one may end while others live, and two that build the same window can leave it to each other. */
const LOOK_AGAIN_MS = HOUR_MS
const LOOK_AGAIN_DAYS = 3

/** The windows that writes have touched and the building of their roll-ups. */
export class InfluxBuilder {
  readonly #deps: BuildDeps
  readonly #touched: Record<Level, Map<string, Set<number>>> = { [HOUR_MS]: new Map(), [DAY_MS]: new Map() }
  #lookedBackAt = Number.NEGATIVE_INFINITY
  #building: Promise<void> = Promise.resolve()

  constructor(deps: BuildDeps) {
    this.#deps = deps
  }

  touch(samples: readonly { readonly gate: string; readonly t: number }[]): void {
    for (const level of [HOUR_MS, DAY_MS] as const)
      for (const [gate, starts] of windowsOf(samples, level)) for (const start of starts) this.#add(level, gate, start)
  }

  /** One at a time: builds what was touched of windows that ended before `before`. @throws Fault HISTORY_UNREACHABLE */
  async build(before: number): Promise<void> {
    this.#building = this.#building.catch(() => undefined).then(() => this.#buildAll(before))
    await this.#building
  }

  async #buildAll(before: number): Promise<void> {
    const now = Date.now()
    if (now - this.#lookedBackAt > LOOK_AGAIN_MS) {
      await this.#lookBack(now, Number.isFinite(this.#lookedBackAt) ? LOOK_AGAIN_DAYS : LOOK_BACK_DAYS)
      this.#lookedBackAt = now
    }
    const metrics = await this.#deps.metrics()
    for (const [gate, hours] of this.#touched[HOUR_MS])
      for (const run of runsOf(take(hours, before, HOUR_MS)))
        await this.#keepOnFailure(HOUR_MS, gate, run, () => this.#buildHours(gate, run, metrics))
    for (const [gate, days] of this.#touched[DAY_MS]) {
      const ended = take(days, before, DAY_MS)
      if (ended.length > 0) await this.#keepOnFailure(DAY_MS, gate, ended, () => this.#buildDays(gate, ended, metrics))
    }
  }

  /** What an earlier or another process has left. */
  async #lookBack(now: number, days: number): Promise<void> {
    const step = LOOK_BACK_STEP_DAYS * DAY_MS
    for (let to = now + DAY_MS; to > now - days * DAY_MS; to -= step)
      for (const level of [HOUR_MS, DAY_MS] as const) {
        const [found = []] = await this.#deps.query([selectMarks(level, { gates: [], span: { from: Math.max(0, to - step), to } })])
        for (const [gate, marks] of staleMarks(found)) for (const from of marks.keys()) this.#add(level, gate, from)
      }
  }

  async #keepOnFailure(level: Level, gate: string, windows: readonly number[], work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      for (const from of windows) this.#add(level, gate, from)
      throw error
    }
  }

  #add(level: Level, gate: string, from: number): void {
    const known = this.#touched[level].get(gate)
    if (known) known.add(from)
    else this.#touched[level].set(gate, new Set([from]))
  }

  async #buildHours(gate: string, hours: readonly number[], metrics: readonly string[]): Promise<void> {
    const span = { from: hours[0] ?? 0, to: (hours.at(-1) ?? 0) + HOUR_MS }
    // Marks first: a sample that comes after this look sets another mark, and the roll-up does not count.
    const [found = []] = await this.#deps.query([selectMarks(HOUR_MS, { gates: [gate], span })])
    const marks = staleMarks(found).get(gate)
    if (!marks) return
    const byMetric = new Map<string, Sample[]>()
    for await (const sample of this.#deps.samples(gate, metrics, span)) {
      const known = byMetric.get(sample.metric)
      if (known) known.push(sample)
      else byMetric.set(sample.metric, [sample])
    }
    const hourSlices = byWindow(byMetric, HOUR_MS)
    const dense = (metric: string, from: number): boolean =>
      (hourSlices.get(from - (from % HOUR_MS))?.get(metric)?.count ?? 0) > MINUTES_FROM_COUNT
    const minutes = [...byWindow(byMetric, MINUTE_MS)].flatMap(([from, slices]) => {
      const held = new Map([...slices].filter(([metric]) => dense(metric, from)))
      return marks.has(from - (from % HOUR_MS)) ? (rollUpLine(MINUTE_MS, { gate, from, done: null }, held) ?? []) : []
    })
    await this.#deps.post(minutes)
    await this.#deps.post(
      [...marks].flatMap(([from, mark]) => rollUpLine(HOUR_MS, { gate, from, done: mark }, hourSlices.get(from) ?? new Map()) ?? []),
    )
  }

  async #buildDays(gate: string, days: readonly number[], metrics: readonly string[]): Promise<void> {
    for (const from of days) {
      const span = { from, to: from + DAY_MS }
      const [found = []] = await this.#deps.query([selectMarks(DAY_MS, { gates: [gate], span })])
      const mark = staleMarks(found).get(gate)?.get(from)
      if (mark === undefined) continue
      const hours = await this.#deps.query(metrics.map((metric) => selectSlices(HOUR_MS, { gates: [gate], metric, span }, WHOLE)))
      const rolledUp = metrics.map((metric, i) => ({ metric, ...rolledUpOf(hours[i] ?? [], WHOLE).get(gate) }))
      // An hour that was touched again is built again, and with it its day.
      if (rolledUp.some((r) => (r.stale?.size ?? 0) > 0)) {
        this.#add(DAY_MS, gate, from)
        continue
      }
      const slices = new Map<string, Slice>()
      for (const { metric, slices: held = [] } of rolledUp) {
        const whole = join(held, { from, longestBridgedMs: LONGEST_BRIDGED })
        if (whole) slices.set(metric, whole)
      }
      await this.#deps.post([rollUpLine(DAY_MS, { gate, from, done: mark }, slices) ?? []].flat())
    }
  }
}

/** Takes those windows out that ended before `before`, ascending. */
function take(windows: Set<number>, before: number, width: Width): number[] {
  const ended = [...windows].filter((from) => from + width <= before).toSorted((a, b) => a - b)
  for (const from of ended) windows.delete(from)
  return ended
}

function runsOf(hours: readonly number[]): number[][] {
  const runs: number[][] = []
  for (const from of hours) {
    const last = runs.at(-1)
    if (last && from - (last.at(-1) ?? 0) === HOUR_MS && last.length < HOURS_AT_ONCE) last.push(from)
    else runs.push([from])
  }
  return runs
}

function byWindow(byMetric: ReadonlyMap<string, readonly Sample[]>, width: Width): Map<number, Map<string, Slice>> {
  const windows = new Map<number, Map<string, Slice>>()
  for (const [metric, samples] of byMetric)
    for (const slice of slicesOf(samples, width))
      windows.set(slice.from, (windows.get(slice.from) ?? new Map<string, Slice>()).set(metric, slice))
  return windows
}
