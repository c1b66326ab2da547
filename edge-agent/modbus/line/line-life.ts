import { backOffMs, type Line } from './line.ts'

type State<C> =
  /** `connection` null: there is none yet to be given up. */
  | { readonly at: 'opening'; readonly connection: C | null; readonly done: Promise<void> }
  | { readonly at: 'open'; readonly connection: C }
  | { readonly at: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly at: 'closed' }

/** The life of a line that we open ourselves: opening, open, lost and waiting for the next try, closed for good. */
export class LineLife<C> {
  readonly #open: () => void
  #state: State<C> = { at: 'closed' }
  #failures = 0

  /** @param open begins a try, which ends in `isOpen` or `lost`. */
  constructor(open: () => void) {
    this.#open = open
  }

  get state(): Line['state'] {
    return this.#state.at === 'open' || this.#state.at === 'opening' ? this.#state.at : 'down'
  }

  get isClosed(): boolean {
    return this.#state.at === 'closed'
  }

  /** While it is open. */
  get connection(): C | null {
    return this.#state.at === 'open' ? this.#state.connection : null
  }

  /** Tries that failed and connections that were lost, in a row. */
  get failures(): number {
    return this.#failures
  }

  async opened(): Promise<void> {
    if (this.#state.at === 'opening') await this.#state.done
  }

  begins(done: Promise<void>, connection: C | null): void {
    this.#state = { at: 'opening', connection, done }
  }

  isOpen(connection: C): void {
    this.#state = { at: 'open', connection }
  }

  /** It works: the next loss is a first one. */
  works(): void {
    this.#failures = 0
  }

  /** Whether this connection is the one that the line has, or is about to have. */
  has(connection: C): boolean {
    return (this.#state.at === 'open' || this.#state.at === 'opening') && this.#state.connection === connection
  }

  /** Waits, longer each time, and tries again. @returns how long it waits, in ms */
  lost(): number {
    const wait_ms = backOffMs(this.#failures)
    this.#failures += 1
    this.#state = { at: 'waiting', timer: setTimeout(this.#open, wait_ms) }
    return wait_ms
  }

  /** For good. @returns the connection that is to be shut */
  close(): C | null {
    const state = this.#state
    this.#state = { at: 'closed' }
    if (state.at === 'waiting') clearTimeout(state.timer)
    return state.at === 'opening' || state.at === 'open' ? state.connection : null
  }
}
