import type { UnixMs } from '#contract/units.ts'
import type { RtuState } from './register-map.ts'

/** States kept to be shown again: some polls' worth, and those that a lasting fault keeps asking for. */
const KEPT = 64

/** What a device has shown: canals do not run backwards, but a frozen sensor shows what was. */
export class ShownStates {
  readonly #recent: { readonly t: UnixMs; readonly state: RtuState }[] = []
  readonly #askedAgain = new Map<UnixMs, RtuState>()

  /** @returns the state shown at or last before `t`; undefined when `t` is later than all that was shown. */
  at(t: UnixMs): RtuState | undefined {
    const again = this.#askedAgain.get(t)
    if (again) return again
    const newest = this.#recent.at(-1)
    if (!newest || t > newest.t) return undefined
    const found = (this.#recent.findLast((r) => r.t <= t) ?? this.#recent[0])?.state
    if (found && t < newest.t) {
      this.#askedAgain.set(t, found)
      const [oldest] = this.#askedAgain.keys()
      if (this.#askedAgain.size > KEPT && oldest !== undefined) this.#askedAgain.delete(oldest)
    }
    return found
  }

  keep(t: UnixMs, state: RtuState): RtuState {
    this.#recent.push({ t, state })
    if (this.#recent.length > KEPT) this.#recent.shift()
    return state
  }

  /** A command changes what is shown from this very moment on. */
  forget(): void {
    const newest = this.#recent.at(-1)
    if (newest) this.#recent.splice(0, this.#recent.length, ...this.#recent.filter((r) => r.t < newest.t))
  }
}
