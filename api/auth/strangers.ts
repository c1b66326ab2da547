import { type UnixMs, unixMs } from '#contract/units.ts'

const MOST = 10_000

/**
 * Failed sign-ins of logins that nobody has, counted as the registry counts a person's: were only real people locked out, the lock would
 * tell which logins are real. In memory and bounded; the oldest is forgotten first.
 */
export class Strangers {
  readonly #byLogin = new Map<string, { failures: number; lockedUntil: UnixMs | null }>()
  readonly #limits: { readonly maxFailures: number; readonly lockoutMs: number }

  constructor(limits: { maxFailures: number; lockoutMs: number }) {
    this.#limits = limits
  }

  lockedUntil(login: string, now: UnixMs): UnixMs | null {
    const known = this.#byLogin.get(login)
    if (!known?.lockedUntil) return null
    if (known.lockedUntil > now) return known.lockedUntil
    this.#byLogin.delete(login)
    return null
  }

  recordFailure(login: string, now: UnixMs): void {
    const failures = (this.#byLogin.get(login)?.failures ?? 0) + 1
    this.#byLogin.delete(login)
    const oldest = this.#byLogin.size >= MOST ? this.#byLogin.keys().next().value : undefined
    if (oldest !== undefined) this.#byLogin.delete(oldest)
    const locked = failures >= this.#limits.maxFailures
    this.#byLogin.set(login, { failures, lockedUntil: locked ? unixMs(now + this.#limits.lockoutMs) : null })
  }
}
