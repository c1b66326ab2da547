import { inconsistencies, type Site, type Structure } from '#contract/district.ts'
import { Fault } from '#contract/fault.ts'
import { may } from '#contract/may.ts'
import type { SignedIn } from '../../auth/sessions.ts'
import type { District } from '../../district-view.ts'

/** @throws Fault NOT_ALLOWED unless the person may register in this area. */
export function requireRegister({ person }: SignedIn, area: string): void {
  if (may(person.grants, 'register', area)) return
  throw new Fault(
    'NOT_ALLOWED',
    `${person.login} may not register anything in area ${area}`,
    'ask an engineer or administrator of this area',
  )
}

/** @throws Fault BAD_REQUEST that names what the new entry refers to and is not there. */
export function requireConsistent(district: District, added: { site?: Site; structure?: Structure }): void {
  const { areas, canals, sites } = district
  const wrong = inconsistencies({
    name: '',
    areas: [...areas],
    canals: added.structure ? canals.filter((c) => c.id === added.structure?.canal).map((c) => ({ ...c, parent: null })) : [],
    sites: added.site ? [added.site] : [...sites],
    structures: added.structure ? [added.structure] : [],
  })
  if (wrong.length > 0) throw new Fault('BAD_REQUEST', wrong.join('; '), 'name what is registered already, or register that first')
}
