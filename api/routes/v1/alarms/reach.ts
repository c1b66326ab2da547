import type { Alarm } from '#contract/alarm.ts'
import { Fault } from '#contract/fault.ts'
import { type Action, type HeldGrant, may, type Reach, reaches, reachOf } from '#contract/may.ts'
import type { Registry } from '#registry/port.ts'
import type { SignedIn } from '../../../auth/sessions.ts'

/** An alarm of the center itself concerns everybody who may see anything. */
export const seesAlarm = (reach: Reach, area: string | null): boolean =>
  area === null ? reach === 'district' || reach.size > 0 : reaches(reach, area)

export const alarmReach = (grants: readonly HeldGrant[]): Reach => reachOf(grants, 'read')

/** @throws Fault NOT_FOUND, NOT_ALLOWED */
export async function requireAlarm(registry: Registry, id: string, options: { signedIn: SignedIn; action: Action }): Promise<Alarm> {
  const { person } = options.signedIn
  const alarm = await registry.alarms.alarm(id)
  if (!alarm || !seesAlarm(alarmReach(person.grants), alarm.area))
    throw new Fault('NOT_FOUND', `there is no alarm ${id}`, 'GET /api/v1/alarms lists them')
  if (may(person.grants, options.action, alarm.area)) return alarm
  throw new Fault(
    'NOT_ALLOWED',
    `${person.login} may not do this with alarms of ${alarm.area ?? 'the center'}`,
    'ask a dispatcher or engineer of it',
  )
}
