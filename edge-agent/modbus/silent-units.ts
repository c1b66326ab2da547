/** Time on a bus that units which do not answer may take from the others, of all time. Under a tenth, for the poll grid rounds it up. */
const SHARE = 0.08
/** Answers in a row that clear a suspect. */
const ANSWERS = 3

/** A unit, or one of its blocks where the unit itself answers. */
export type Asked = { readonly unit: number; readonly block?: string }
type Suspect = { cost_ms: number; askedAt: number; answers: number }

/**
 * Keeps a dead unit from slowing the others on its bus down. Who has not answered is a suspect, and suspects are asked only as often as their
 * silence costs all of them together {@link SHARE} of the bus's time. So one that comes back is asked again after at most
 * (number of suspects) × (timeout) / SHARE. Where no other answers there is nobody to slow down: all are asked always.
 * Times are ms of a clock that no one sets.
 */
export class SilentUnits {
  readonly #most_ms: number
  readonly #suspects = new Map<string, Suspect>()
  readonly #answering = new Set<number>()
  #budget_ms: number
  #at: number

  /** @param timeout_ms what one silence costs; two are allowed at once, so that a single lost answer is asked for again in the next cycle. */
  constructor(timeout_ms: number, now: number) {
    this.#most_ms = 2 * timeout_ms
    this.#budget_ms = this.#most_ms
    this.#at = now
  }

  mayAsk(asked: Asked, now: number): boolean {
    const suspect = this.#suspects.get(keyOf(asked))
    if (!suspect || !this.#othersAnswer(asked.unit)) return true
    this.#refill(now)
    if (this.#budget_ms < Math.min(suspect.cost_ms, this.#most_ms)) return false
    suspect.askedAt = now
    return true
  }

  answered(asked: Asked): void {
    const suspect = this.#suspects.get(keyOf(asked))
    if (suspect && ++suspect.answers < ANSWERS) return
    this.#suspects.delete(keyOf(asked))
    this.#answering.add(asked.unit)
  }

  /** @param cost_ms how long it was waited for. */
  silent(asked: Asked, cost_ms: number, now: number): void {
    this.#refill(now)
    if (this.#othersAnswer(asked.unit)) this.#budget_ms -= cost_ms
    if (asked.block === undefined) this.#answering.delete(asked.unit)
    this.#suspects.set(keyOf(asked), { cost_ms, askedAt: now, answers: 0 })
  }

  /** Answering ones first, then the suspects, who was asked longest ago first: what is in time must not wait for what may be dead. */
  inOrder<T extends Asked>(items: readonly T[]): T[] {
    const askedAt = ({ unit }: T): number => this.#suspects.get(keyOf({ unit }))?.askedAt ?? -1
    return items.toSorted((a, b) => askedAt(a) - askedAt(b))
  }

  #othersAnswer(unit: number): boolean {
    return this.#answering.size > (this.#answering.has(unit) ? 1 : 0)
  }

  #refill(now: number): void {
    this.#budget_ms = Math.min(this.#most_ms, this.#budget_ms + (now - this.#at) * SHARE)
    this.#at = now
  }
}

const keyOf = ({ unit, block = '' }: Asked): string => `${unit} ${block}`
