import { type Structure, staleAfterMs } from '#contract/district.ts'
import { Fault } from '#contract/fault.ts'
import type { Gate } from '#contract/http.ts'
import { may } from '#contract/may.ts'
import type { SignedIn } from '../../../auth/sessions.ts'
import type { District } from '../../../district-view.ts'
import type { LastStates } from '../../../live/last-states.ts'
import type { LastSites } from '../../../live/site-states.ts'

/** A structure as the API shows it: with its last state, null before anything came. */
export function gateOf(
  structure: Structure,
  { siteById }: Pick<District, 'siteById'>,
  { states, sites }: { states: Pick<LastStates, 'get'>; sites: Pick<LastSites, 'get'> },
): Gate {
  const site = siteById.get(structure.site)
  // The registry holds no structure without its site.
  if (!site) throw new Error(`structure ${structure.id} is at a site that is not there: ${structure.site}`)
  const stale_after_ms = staleAfterMs(site.report_interval_ms, sites.get(site.id)?.health.silence_ms)
  return { ...structure, stale_after_ms, state: states.get(structure.id) ?? null }
}

/** @throws Fault NOT_FOUND, and NOT_ALLOWED where the gate lies in an area that the person may not see. */
export function visibleStructure({ structureById }: Pick<District, 'structureById'>, { person }: SignedIn, id: string): Structure {
  const structure = structureById.get(id)
  if (!structure) throw new Fault('NOT_FOUND', `there is no gate ${id}`, 'GET /api/v1/gates lists them all')
  if (!may(person.grants, 'read', structure.area)) {
    throw new Fault(
      'NOT_ALLOWED',
      `gate ${id} lies in area ${structure.area}, which ${person.login} may not see`,
      'ask an administrator for it',
    )
  }
  return structure
}

/** The gates that a list of ids, separated by commas, names, each once. @throws Fault NOT_FOUND, NOT_ALLOWED, BAD_REQUEST for none or too many */
export function namedGates(district: Pick<District, 'structureById'>, signedIn: SignedIn, text: string): string[] {
  const ids = [...new Set(text.split(',').map((id) => id.trim()))].filter((id) => id !== '')
  if (ids.length === 0 || ids.length > MOST_GATES)
    throw new Fault('BAD_REQUEST', `${ids.length} gates are named`, `name 1 to ${MOST_GATES}, separated by commas`)
  return ids.map((id) => visibleStructure(district, signedIn, id).id)
}
const MOST_GATES = 1000
