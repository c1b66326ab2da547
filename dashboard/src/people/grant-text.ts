import type { Static } from 'typebox'
import type { Grant } from '#contract/http.ts'
import { useAlarmNames } from '../alarm/names.ts'
import { useText } from '../i18n/i18n.ts'

export const ROLES = ['viewer', 'dispatcher', 'supervisor', 'engineer', 'analyst', 'admin'] as const
export type HeldGrant = Static<typeof Grant>

/** A role with where it holds, in words. */
export function useGrantText(): (grant: HeldGrant) => string {
  const { say } = useText()
  const names = useAlarmNames()
  return ({ role, area }) => {
    const known = ROLES.find((r) => r === role)
    const name = known ? say(`people.role.${known}`) : role
    return area === null ? name : say('people.roleIn', { role: name, area: names.areaName(area) })
  }
}
