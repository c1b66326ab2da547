import { Type } from 'typebox'
import type { NotificationPlan } from '#contract/notification.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Correction, History } from '#history/port.ts'
import type { Registry } from '#registry/port.ts'
import type { Sessions } from '../auth/sessions.ts'
import type { Doors } from '../auth/sign-in.ts'
import type { ControlDesk } from '../control/desk.ts'
import type { DistrictView } from '../district-view.ts'
import type { AlarmList } from '../live/alarm-list.ts'
import type { LastStates } from '../live/last-states.ts'
import type { LastSites } from '../live/site-states.ts'
import type { SessionCookie } from '../plugins/session-cookie.ts'
import type { ApiSettings } from '../settings.ts'
import type { ConfigDesk } from '../site-config/desk.ts'

/** What the routes need from the world. */
export type RouteContext = {
  readonly settings: ApiSettings
  readonly registry: Registry
  readonly history: History
  readonly states: Pick<LastStates, 'get'>
  readonly sites: Pick<LastSites, 'get'>
  readonly alarms: Pick<AlarmList, 'refresh'>
  readonly district: DistrictView
  readonly sessions: Sessions
  readonly doors: Doors
  readonly cookie: SessionCookie
  readonly control: ControlDesk
  readonly configs: ConfigDesk
  readonly notificationPlan: NotificationPlan | null
  readonly now: () => UnixMs
  /** What analysts have ruled of these gates' metric in a span; volumes are reckoned with it. */
  readonly correctionsOf: (gates: readonly string[], of: { metric: string; from: number; to: number }) => Promise<readonly Correction[]>
}

export const IdParams = Type.Object({ id: Type.String({ maxLength: 64 }) })

/** One page of a list that is in memory. */
export function pageOf<T>(items: readonly T[], { limit, offset }: { limit: number; offset: number }) {
  return { items: items.slice(offset, offset + limit), total: items.length, limit, offset }
}
