/** Water on its way down a pool: what enters leaves after the delay, none is lost or made. */
export class Transit {
  readonly #slots: Float64Array
  #next = 0

  /** @param steps the delay in steps of the model, at least 1. @param flow the steady flow that fills it at the start, m³/s. */
  constructor(steps: number, flow: number) {
    this.#slots = new Float64Array(Math.max(1, steps)).fill(flow)
  }

  /** @returns what arrives in this step, m³/s. */
  pass(flow: number): number {
    const arrives = this.#slots[this.#next] ?? 0
    this.#slots[this.#next] = flow
    this.#next = (this.#next + 1) % this.#slots.length
    return arrives
  }

  /** m³ for a step of `stepS`. */
  volume(stepS: number): number {
    return this.#slots.reduce((sum, q) => sum + q, 0) * stepS
  }

  /** What arrives next, m³/s: what an operator at the lower end sees coming. */
  get arriving(): number {
    return this.#slots[this.#next] ?? 0
  }
}
