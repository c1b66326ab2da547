/** Follows the `seq` of foreign nodes (0–255, one row for a node and all its devices). Ours need none: receipts find what is missing. */
export class Sequence {
  readonly #expected = new Map<string, number>()
  readonly #missing = new Map<string, Set<number>>()

  /** An NBIRTH starts the row anew. */
  birth(node: string, seq: number): void {
    this.#expected.set(node, (seq + 1) % 256)
    this.#missing.delete(node)
  }

  /** @returns true when a number was passed over: the caller waits its reorder time and asks `complete`. */
  next(node: string, seq: number): boolean {
    const expected = this.#expected.get(node)
    const missing = this.#missing.get(node)
    if (missing?.delete(seq)) {
      if (missing.size === 0) this.#missing.delete(node)
      return false
    }
    this.#expected.set(node, (seq + 1) % 256)
    if (expected === undefined || expected === seq) return false
    const gap = missing ?? new Set<number>()
    for (let n = expected; n !== seq; n = (n + 1) % 256) gap.add(n)
    this.#missing.set(node, gap)
    return true
  }

  /** Whether everything that was passed over has come after all. */
  complete(node: string): boolean {
    return !this.#missing.has(node)
  }
}
