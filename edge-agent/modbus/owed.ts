import type { Expected } from './request.ts'

/**
 * Answers that were given up and may still come. An RTU frame says which unit and function it answers, not which request: until the late one has
 * had its time, the same unit is not asked by the same function, or the late answer would be taken for the next. (One that comes meanwhile ends
 * no wait: it may be the copy of an older one.) Other units and functions are asked at once. Over Modbus TCP the transaction tells, and nothing is
 * ever owed. A GSM link answers 1 poll in 20 late: iatips.com, 2007-01.
 */
export class Owed {
  readonly #late_ms: number
  readonly #until = new Map<number, number>()

  constructor(late_ms: number) {
    this.#late_ms = late_ms
  }

  owe(expected: Pick<Expected, 'unit' | 'fc'>, now: number): void {
    if (this.#late_ms > 0) this.#until.set(keyOf(expected), now + this.#late_ms)
  }

  /** @returns how much longer such an answer may come, in ms. */
  until(expected: Pick<Expected, 'unit' | 'fc'>, now: number): number {
    const until = this.#until.get(keyOf(expected))
    if (until === undefined) return 0
    if (until > now) return until - now
    this.#until.delete(keyOf(expected))
    return 0
  }

  /** @returns the time until the next one is owed no more, in ms. */
  soonest(now: number): number {
    return Math.min(...[...this.#until.values()].map((until) => until - now).filter((left) => left > 0))
  }
}

const keyOf = ({ unit, fc }: Pick<Expected, 'unit' | 'fc'>): number => unit * 256 + fc
