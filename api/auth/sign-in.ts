import { Fault } from '#contract/fault.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { Person, Registry } from '#registry/port.ts'
import type { ApiSettings } from '../settings.ts'
import { openPasswordCheck } from './password.ts'
import { type Proof, proveCode } from './second-factor.ts'
import type { Sessions, SignedIn } from './sessions.ts'
import { Strangers } from './strangers.ts'
import { Turns } from './turns.ts'

export type SignInOutcome =
  | { readonly kind: 'in'; readonly token: string; readonly signedIn: SignedIn }
  | { readonly kind: 'refused' }
  /** The password is right, and this person gives a code too. */
  | { readonly kind: 'code_needed' }
  | { readonly kind: 'code_refused' }
  | { readonly kind: 'locked'; readonly until: UnixMs }

export type Attempt = {
  readonly login: string
  readonly password: string
  readonly code?: string
  readonly ip: string
  readonly agent: string | null
}
export type SignIn = (attempt: Attempt) => Promise<SignInOutcome>
/** The password once more, of who is signed in, before what outlives the session. @throws Fault SIGN_IN_REFUSED, LOCKED_OUT */
export type ProveAgain = (signedIn: SignedIn, given: { readonly password: string; readonly ip: string }) => Promise<void>
export type Doors = { readonly signIn: SignIn; readonly proveAgain: ProveAgain }

type Deps = {
  readonly registry: Pick<Registry, 'people' | 'audit' | 'access'>
  readonly sessions: Pick<Sessions, 'start'>
  readonly now: () => UnixMs
}

const MINUTE_MS = 60_000

export function lockedOut(until: UnixMs, now: UnixMs): Fault {
  return new Fault('LOCKED_OUT', 'too many failed sign-ins', `try again in ${minutesUntil(until, now)} min`)
}
export const minutesUntil = (until: UnixMs, now: UnixMs): number => Math.max(1, Math.ceil((until - now) / MINUTE_MS))

/** Judges sign-ins: counts failures, locks out, and writes each outcome to the audit trail. */
export async function openDoors(settings: ApiSettings['sign_in'], deps: Deps): Promise<Doors> {
  const { registry, sessions, now } = deps
  const maxFailures = settings.max_failures
  const lockoutMs = settings.lockout_min * MINUTE_MS
  const passwordIsRight = await openPasswordCheck()
  const strangers = new Strangers({ maxFailures, lockoutMs })
  const turns = new Turns()

  const audit = (of: { login: string; ip: string }, action: string, details: Record<string, unknown> = {}): Promise<void> =>
    registry.audit.append({ at: now(), who: of.login, action, subject: of.login, details: { ip: of.ip, ...details } })

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

  /** @returns how the second factor was proved, null where the person has none, or what is wrong with the code. */
  async function secondFactorOf(person: Person, code: string | undefined): Promise<Proof | null | 'needed' | 'refused'> {
    const factor = await registry.access.secondFactor(person.id)
    if (!factor?.secret) return null
    if (code === undefined) return 'needed'
    return (await proveCode({ access: registry.access, now: now() }, { personId: person.id, secret: factor.secret }, code)) ?? 'refused'
  }

  const signIn: SignIn = (attempt) =>
    turns.run(attempt.login, async (): Promise<SignInOutcome> => {
      const { login, password } = attempt
      const person = await registry.people.byLogin(login)
      const until = await lockOf(person, login)
      if (until !== null) {
        await audit(attempt, 'session.refused', { reason: 'locked out' })
        return { kind: 'locked', until }
      }
      const right = await passwordIsRight(person?.passwordHash, password)
      if (!person || !right || person.disabledAt !== null) {
        const reason = person && right ? 'disabled' : 'wrong login or password'
        // Side by side, so that counting a real person's failure takes no longer than a stranger's.
        await Promise.all([recordFailure(person, login), audit(attempt, 'session.refused', { reason })])
        return { kind: 'refused' }
      }
      const proof = await secondFactorOf(person, attempt.code)
      // Not cleared yet: who knows the password could else try codes without end.
      if (proof === 'needed') return { kind: 'code_needed' }
      if (proof === 'refused') {
        await Promise.all([recordFailure(person, login), audit(attempt, 'session.refused', { reason: 'wrong code' })])
        return { kind: 'code_refused' }
      }
      if (person.failedSignIns > 0) await registry.people.clearFailures(person.id)
      const started = await sessions.start(person, { ip: attempt.ip, agent: attempt.agent, secondFactor: proof !== null })
      await audit(attempt, 'session.sign_in', proof === null ? {} : { second_factor: proof })
      return { kind: 'in', ...started }
    })

  const proveAgain: ProveAgain = (signedIn, { password, ip }) =>
    turns.run(signedIn.person.login, async () => {
      const { login } = signedIn.person
      // As it is now: the session may be older than the last failures, or than the password.
      const person = await registry.people.byLogin(login)
      const until = await lockOf(person, login)
      if (until !== null) throw lockedOut(until, now())
      if (person && (await passwordIsRight(person.passwordHash, password))) return
      await Promise.all([recordFailure(person, login), audit({ login, ip }, 'password.refused')])
      throw new Fault('SIGN_IN_REFUSED', 'the password is wrong', 'try again')
    })

  return { signIn, proveAgain }
}
