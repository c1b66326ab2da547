import { Fault } from '#contract/fault.ts'
import { type Action, may } from '#contract/may.ts'
import { type UnixMs, unixMs } from '#contract/units.ts'
import type { SignedIn } from '../../../auth/sessions.ts'

/** @throws Fault NOT_ALLOWED */
export function requireAction({ person }: SignedIn, action: Action, area: string | null): void {
  if (may(person.grants, action, area)) return
  const where = area === null ? 'the whole district' : `area ${area}`
  throw new Fault('NOT_ALLOWED', `${person.login} may not do this in ${where}`, 'ask an analyst or an administrator')
}

/** @throws Fault BAD_REQUEST */
export function requireSpan({ from, to }: { from: number; to: number }, { mostDays }: { mostDays: number }): { from: UnixMs; to: UnixMs } {
  if (from >= to) throw new Fault('BAD_REQUEST', 'from is not before to', 'swap them')
  if (to - from > mostDays * 86_400_000) throw new Fault('BAD_REQUEST', `the span is longer than ${mostDays} days`, 'ask for a shorter one')
  return { from: unixMs(from), to: unixMs(to) }
}
