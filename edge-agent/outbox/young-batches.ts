// 200 readings are some 4.5 kB on the wire: 2 s at 20 kbit/s, so that what is sent behind one does not wait long.
const MAX_READINGS_IN_BATCH = 200

type Young = { readonly device: string; open: boolean; records: number; readings: number; settled: Promise<unknown> }

/** Batches of this run that may still grow, or whose last append is not yet on the disk. Older ones are the disk's alone. */
export class YoungBatches {
  readonly #batches = new Map<number, Young>()
  readonly #openOf = new Map<string, number>()

  /** The device's open batch, or a new one where there is none or it has no room. @returns the place of the append in it. */
  join(device: string, readings: number, newCounter: () => number): { counter: number; n: number } {
    const current = this.#openOf.get(device)
    const batch = current === undefined ? undefined : this.#batches.get(current)
    if (current !== undefined && batch) {
      if (batch.readings + readings <= MAX_READINGS_IN_BATCH) {
        batch.readings += readings
        return { counter: current, n: batch.records++ }
      }
      this.#close(current, batch)
    }
    const counter = newCounter()
    this.#batches.set(counter, { device, open: true, records: 1, readings, settled: Promise.resolve() })
    this.#openOf.set(device, counter)
    return { counter, n: 0 }
  }

  /** An append that joined is being written. */
  writing(counter: number, written: Promise<void>): void {
    const batch = this.#batches.get(counter)
    if (batch) batch.settled = Promise.allSettled([batch.settled, written])
  }

  /** Resolves when no append joins the batch any more and those that did are written, or have failed. */
  async seal(counter: number): Promise<void> {
    const batch = this.#batches.get(counter)
    if (batch?.open) this.#close(counter, batch)
    await batch?.settled
  }

  /** From now on every append begins a new batch. */
  closeAll(): void {
    for (const [counter, batch] of this.#batches) if (batch.open) this.#close(counter, batch)
  }

  has(counter: number): boolean {
    return this.#batches.has(counter)
  }

  oldestFrom(counter: number): number | undefined {
    const counters = [...this.#batches.keys()].filter((c) => c >= counter)
    return counters.length === 0 ? undefined : Math.min(...counters)
  }

  #close(counter: number, batch: Young): void {
    batch.open = false
    if (this.#openOf.get(batch.device) === counter) this.#openOf.delete(batch.device)
    void batch.settled.then(() => {
      this.#batches.delete(counter)
    })
  }
}
