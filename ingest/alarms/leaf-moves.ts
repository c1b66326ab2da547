/** Smaller than this is play of the encoder, in m. */
const PLAY_M = 0.01
/** A leaf that has stood for so long stands where it now belongs: what has happened has been told. */
const STILL_MS = 600_000

type Leaf = { base: number; at: number; stillSince: number }

/** How far each leaf has moved from where it belongs, without anybody having asked for it. */
export class LeafMoves {
  readonly #gates = new Map<string, Map<string, Leaf>>()

  /** A good opening in m, in the order of time. @returns how far the gate's farthest leaf has moved, in m. */
  take(gate: string, leaf: string, seen: { readonly t: number; readonly opening: number; readonly askedFor: boolean }): number {
    const { t, opening } = seen
    const leaves = this.#gates.get(gate) ?? new Map<string, Leaf>()
    this.#gates.set(gate, leaves)
    const known = leaves.get(leaf)
    if (!known) leaves.set(leaf, { base: opening, at: opening, stillSince: t })
    else {
      if (Math.abs(opening - known.at) > PLAY_M) Object.assign(known, { at: opening, stillSince: t })
      if (seen.askedFor || (t - known.stillSince >= STILL_MS && Math.abs(opening - known.base) > PLAY_M)) known.base = opening
    }
    return this.#moved(gate)
  }

  /** Somebody asked for it after all. @returns whether it had been seen as moved. */
  settle(gate: string): boolean {
    const before = this.#moved(gate)
    for (const leaf of this.#gates.get(gate)?.values() ?? []) leaf.base = leaf.at
    return before > PLAY_M
  }

  /** What it does from now on is not seen here. */
  forget(gate: string): void {
    this.#gates.delete(gate)
  }

  #moved(gate: string): number {
    let farthest = 0
    for (const leaf of this.#gates.get(gate)?.values() ?? []) farthest = Math.max(farthest, Math.abs(leaf.at - leaf.base))
    return farthest
  }
}
