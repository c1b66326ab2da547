import { type UnixMs, unixMs } from '#contract/units.ts'
import type { Person, Registry } from '#registry/port.ts'
import type { ApiSettings } from '../settings.ts'
import { openPasswordCheck } from './password.ts'
import type { Sessions, SignedIn } from './sessions.ts'
import { Strangers } from './strangers.ts'
import { Turns } from './turns.ts'

export type SignInOutcome =
  | { readonly kind: 'in'; readonly token: string; readonly signedIn: SignedIn }
  | { readonly kind: 'refused' }
  | { readonly kind: 'locked'; readonly until: UnixMs }

export type Attempt = { readonly login: string; readonly password: string; readonly ip: string }
export type SignIn = (attempt: Attempt) => Promise<SignInOutcome>

type Deps = {
  readonly registry: Pick<Registry, 'people' | 'audit'>
  readonly sessions: Pick<Sessions, 'start'>
  readonly now: () => UnixMs
}

const MINUTE_MS = 60_000

/** Judges sign-ins: counts failures, locks out, and writes each outcome to the audit trail. */
export async function openSignIn(settings: ApiSettings['sign_in'], deps: Deps): Promise<SignIn> {
  const { registry, sessions, now } = deps
  const maxFailures = settings.max_failures
  const lockoutMs = settings.lockout_min * MINUTE_MS
  const passwordIsRight = await openPasswordCheck()
  const strangers = new Strangers({ maxFailures, lockoutMs })
  const turns = new Turns()

  const audit = (attempt: Attempt, action: string, details: Record<string, unknown> = {}): Promise<void> =>
    registry.audit.append({ at: now(), who: attempt.login, action, subject: attempt.login, details: { ip: attempt.ip, ...details } })

  /** @returns until when this login is locked out. A lock that is over is cleared, so that the count begins anew. */
  async function lockOf(person: Person | undefined, login: string): Promise<UnixMs | null> {
    if (!person) return strangers.lockedUntil(login, now())
    if (person.lockedUntil === null) return null
    if (person.lockedUntil > now()) return person.lockedUntil
    await registry.people.clearFailures(person.id)
    return null
  }

  async function recordFailure(person: Person | undefined, login: string): Promise<void> {
    if (!person) return strangers.recordFailure(login, now())
    const until = unixMs(now() + lockoutMs)
    const before = person.lockedUntil === null ? person.failedSignIns : 0
    const count = await registry.people.recordFailure(person.id, before + 1 >= maxFailures ? until : null)
    // Another API node may have counted meanwhile.
    if (count >= maxFailures && before + 1 < maxFailures) await registry.people.recordFailure(person.id, until)
  }

  return (attempt) =>
    turns.run(attempt.login, async (): Promise<SignInOutcome> => {
      const { login, password } = attempt
      const person = await registry.people.byLogin(login)
      const until = await lockOf(person, login)
      if (until !== null) {
        await audit(attempt, 'session.refused', { reason: 'locked out' })
        return { kind: 'locked', until }
      }
      const right = await passwordIsRight(person?.passwordHash, password)
      if (!person || !right) {
        // Side by side, so that counting a real person's failure takes no longer than a stranger's.
        await Promise.all([recordFailure(person, login), audit(attempt, 'session.refused', { reason: 'wrong login or password' })])
        return { kind: 'refused' }
      }
      if (person.failedSignIns > 0) await registry.people.clearFailures(person.id)
      const started = await sessions.start(person)
      await audit(attempt, 'session.sign_in')
      return { kind: 'in', ...started }
    })
}
