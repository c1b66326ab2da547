import type { CommandAction } from '#contract/command.ts'
import type { Canal, Structure } from '#contract/district.ts'
import { Fault } from '#contract/fault.ts'
import { may } from '#contract/may.ts'
import type { SignedIn } from '../../../auth/sessions.ts'
import type { ApiSettings } from '../../../settings.ts'

/** @throws Fault NOT_ALLOWED unless the person may command in this area. */
export function requireCommand({ person }: SignedIn, area: string): void {
  if (may(person.grants, 'command', area)) return
  throw new Fault('NOT_ALLOWED', `${person.login} may not command gates in area ${area}`, 'ask a dispatcher of this area')
}

/** Moves of a main canal's check structures concern every area below: another person must agree. */
export function needsSecond(
  structure: Structure,
  action: CommandAction,
  ground: { readonly canals: readonly Canal[]; readonly settings: ApiSettings['control'] },
): boolean {
  if (ground.settings.second_person === 'nobody') return false
  if (action.kind === 'stop' || action.kind === 'manual' || action.kind === 'tag' || action.kind === 'untag') return false
  return structure.type === 'regulator' && ground.canals.some((c) => c.id === structure.canal && c.parent === null)
}
