import type { Sample } from '#history/port.ts'

/** Samples kept of one metric of one gate: enough to see both neighbours of what comes now, live and of a backlog. */
const MOST_KEPT = 48

/** The samples that came last, by gate, metric and source time: what a new one is judged and derived beside. */
export class Recent {
  readonly #series = new Map<string, Sample[]>()

  /** Keeps a sample. One of the same time is replaced. */
  put(sample: Sample): void {
    const key = keyOf(sample.gate, sample.metric)
    const series = this.#series.get(key) ?? []
    this.#series.set(key, series)
    const i = placeOf(series, sample.t)
    series.splice(i, series[i]?.t === sample.t ? 1 : 0, sample)
    if (series.length <= 2 * MOST_KEPT) return
    // A backlog and live data come side by side: what came long ago goes, not what is old.
    const kept = series.toSorted((a, b) => b.received - a.received).slice(0, MOST_KEPT)
    this.#series.set(
      key,
      kept.toSorted((a, b) => a.t - b.t),
    )
  }

  get(gate: string, metric: string, t: number): Sample | undefined {
    const series = this.#series.get(keyOf(gate, metric)) ?? []
    const sample = series[placeOf(series, t)]
    return sample?.t === t ? sample : undefined
  }

  /** The newest at or before `t` and not older than `within`. */
  at(gate: string, metric: string, t: number, within: number): Sample | undefined {
    return this.before(gate, metric, t + 1, { within: within + 1, where: () => true })
  }

  /** The newest before `t`, not older than `within`, of those that `where` takes. */
  before(gate: string, metric: string, t: number, options: { within: number; where: (sample: Sample) => boolean }): Sample | undefined {
    const series = this.#series.get(keyOf(gate, metric)) ?? []
    for (let i = placeOf(series, t) - 1; i >= 0; i--) {
      const sample = series[i]
      if (!sample || t - sample.t > options.within) return undefined
      if (options.where(sample)) return sample
    }
    return undefined
  }

  /** The oldest after `t`, not later than `within`. */
  after(gate: string, metric: string, t: number, within: number): Sample | undefined {
    const series = this.#series.get(keyOf(gate, metric)) ?? []
    const sample = series[placeOf(series, t + 1)]
    return sample && sample.t - t <= within ? sample : undefined
  }

  /** Source times of a metric in (after, upTo]. */
  times(gate: string, metric: string, span: { after: number; upTo: number }): number[] {
    const series = this.#series.get(keyOf(gate, metric)) ?? []
    const times: number[] = []
    for (let i = placeOf(series, span.after + 1); i < series.length; i++) {
      const t = series[i]?.t ?? Number.POSITIVE_INFINITY
      if (t > span.upTo) break
      times.push(t)
    }
    return times
  }
}

const keyOf = (gate: string, metric: string): string => `${gate} ${metric}`

/** Where a sample of this time is, or would stand. */
function placeOf(series: readonly Sample[], t: number): number {
  let [low, high] = [0, series.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((series[middle]?.t ?? 0) < t) low = middle + 1
    else high = middle
  }
  return low
}
