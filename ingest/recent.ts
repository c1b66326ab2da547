import type { Sample } from '#history/port.ts'

/** Samples kept of one metric of one gate: enough to see both neighbours of what comes now, live and of a backlog. */
const MOST_KEPT = 48

/** The samples of one metric of one gate that came last, by source time. */
export class Series {
  #samples: Sample[] = []
  /** Since when the newest value has stood, in the order of time. */
  #same: { value: number; since: number; t: number } | undefined

  /** Keeps a sample. One of the same time is replaced. */
  put(sample: Sample): void {
    const samples = this.#samples
    const i = this.#placeOf(sample.t)
    if (i === samples.length) samples.push(sample)
    else samples.splice(i, samples[i]?.t === sample.t ? 1 : 0, sample)
  }

  /** To be called when all of a message has been looked at: until then each of its samples has the others beside it. */
  trim(): void {
    const samples = this.#samples
    if (samples.length <= 2 * MOST_KEPT) return
    // A backlog and live data come side by side: what came long ago goes, not what is old.
    const inOrder = samples.every((s, i) => i === 0 || s.received >= (samples[i - 1]?.received ?? 0))
    const byArrival = inOrder ? samples : samples.toSorted((a, b) => a.received - b.received || a.t - b.t)
    const kept = byArrival.slice(-MOST_KEPT)
    this.#samples = inOrder ? kept : kept.sort((a, b) => a.t - b.t)
  }

  get(t: number): Sample | undefined {
    const sample = this.#samples[this.#placeOf(t)]
    return sample?.t === t ? sample : undefined
  }

  /** The newest at or before `t` and not older than `within`. */
  at(t: number, within: number): Sample | undefined {
    return this.before(t + 1, within + 1)
  }

  /** The newest before `t`, not older than `within`. */
  before(t: number, within: number): Sample | undefined {
    const sample = this.#samples[this.#placeOf(t) - 1]
    return sample && t - sample.t <= within ? sample : undefined
  }

  /** The newest before `t`, not older than `within`, that is good and not unreliable. */
  believedBefore(t: number, within: number): Sample | undefined {
    for (let i = this.#placeOf(t) - 1; i >= 0; i--) {
      const sample = this.#samples[i]
      if (!sample || t - sample.t > within) return undefined
      if (sample.reading.quality === 'good' && sample.verdict?.level !== 'unreliable') return sample
    }
    return undefined
  }

  /** The oldest after `t`, not later than `within`. */
  after(t: number, within: number): Sample | undefined {
    const sample = this.#samples[this.#placeOf(t + 1)]
    return sample && sample.t - t <= within ? sample : undefined
  }

  /** Adds the source times in (after, upTo] to `times`. */
  addTimes(times: Set<number>, { after, upTo }: { after: number; upTo: number }): void {
    for (let i = this.#placeOf(after + 1); i < this.#samples.length; i++) {
      const t = this.#samples[i]?.t ?? Number.POSITIVE_INFINITY
      if (t > upTo) return
      times.add(t)
    }
  }

  /** @returns since when the value has stood that was read at `t`. Late samples say nothing of how long the present one has. */
  sameSince(t: number, value: number): number {
    const known = this.#same
    if (known && t < known.t) return t
    if (known && known.value === value) {
      known.t = t
      return known.since
    }
    this.#same = { value, since: t, t }
    return t
  }

  /** Where a sample of this time is, or would stand. */
  #placeOf(t: number): number {
    const samples = this.#samples
    const newest = samples[samples.length - 1]
    // Mostly it is the next one.
    if (!newest || newest.t < t) return samples.length
    let low = 0
    let high = samples.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((samples[middle]?.t ?? 0) < t) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** The samples that came last, by gate and metric: what a new one is judged and derived beside. */
export class Recent {
  readonly #gates = new Map<string, Map<string, Series>>()

  /** Of one gate, by metric; to be looked up once for all samples of a message. */
  gate(gate: string): Map<string, Series> {
    let series = this.#gates.get(gate)
    if (!series) {
      series = new Map()
      this.#gates.set(gate, series)
    }
    return series
  }

  series(gate: string, metric: string): Series | undefined {
    return this.#gates.get(gate)?.get(metric)
  }
}
