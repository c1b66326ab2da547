import type { NotificationPlan } from '#contract/notification.ts'
import type { NotifySettings } from './settings.ts'

/** The settings without addresses and secrets, to be shown; null where nobody is told. */
export function planOf({ receivers, routes }: Pick<NotifySettings, 'receivers' | 'routes'>): NotificationPlan | null {
  if (routes.length === 0) return null
  return {
    receivers: receivers.map(({ name, channel }) => ({ name, channel })),
    routes: routes.map(({ name, areas, priority, shift, to, escalate }) => ({ name, areas, priority, shift: shift ?? null, to, escalate })),
  }
}
