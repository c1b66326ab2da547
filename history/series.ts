/** Numbers for gate + metric. DuckDB's rows hold the number; the names stand once, in the table `series`. */
export class SeriesNumbers {
  readonly #byGate = new Map<string, Map<string, number>>()
  readonly #names = new Map<number, SeriesName>()

  add({ id, gate, metric }: Series): void {
    const metrics = this.#byGate.get(gate) ?? new Map<string, number>()
    this.#byGate.set(gate, metrics.set(metric, id))
    this.#names.set(id, { gate, metric })
  }

  number({ gate, metric }: SeriesName): number | undefined {
    return this.#byGate.get(gate)?.get(metric)
  }

  name(id: number): SeriesName | undefined {
    return this.#names.get(id)
  }

  /** Numbers of those of the metrics that the gate has. */
  numbers(gate: string, metrics: readonly string[]): number[] {
    return [...new Set(metrics)].flatMap((metric) => this.number({ gate, metric }) ?? [])
  }

  get size(): number {
    return this.#names.size
  }

  ofGate(gate: string): Iterable<number> {
    return this.#byGate.get(gate)?.values() ?? []
  }

  /** Numbers for those of `wanted` that have none, not yet added: the caller adds them once they are on disk. */
  missing(wanted: Iterable<SeriesName>): SeriesNumbers {
    const made = new SeriesNumbers()
    let next = this.#names.size
    for (const { gate, metric } of wanted) {
      if (this.number({ gate, metric }) === undefined && made.number({ gate, metric }) === undefined) made.add({ id: next++, gate, metric })
    }
    return made
  }

  *[Symbol.iterator](): Generator<Series> {
    for (const [id, name] of this.#names) yield { id, ...name }
  }
}

export type SeriesName = { readonly gate: string; readonly metric: string }
export type Series = SeriesName & { readonly id: number }
