import { NotificationList, NotificationPlanReply, NotificationQuery, type NotificationView } from '#contract/http/notification.ts'
import type { MessageRow } from '#registry/notifications.ts'
import type { App } from '../../../app.ts'
import { signedInOf } from '../../../plugins/session-cookie.ts'
import { PROBLEMS } from '../../../problem.ts'
import type { RouteContext } from '../../context.ts'
import { alarmReach } from '../alarms/reach.ts'

/** /api/v1/notifications: who was told of which alarms, and who would be. */
export function notificationRoutes(app: App, { registry, notificationPlan }: RouteContext): void {
  app.get(
    '/notifications',
    {
      schema: {
        tags: ['alarms'],
        summary: 'Messages about alarms to people outside, the newest first; those only that tell of nothing but the person’s own areas',
        querystring: NotificationQuery,
        response: { 200: NotificationList, ...PROBLEMS },
      },
    },
    async (request) => {
      const { limit, offset, state } = request.query
      const reach = alarmReach(signedInOf(request).person.grants)
      const filter = { ...(reach === 'district' ? {} : { areas: [...reach] }), ...(state === undefined ? {} : { state }) }
      const { items, total } = await registry.notifications.list(filter, { limit, offset })
      return { items: items.map(viewOf), total, limit, offset }
    },
  )

  app.get(
    '/notifications/plan',
    {
      schema: {
        tags: ['alarms'],
        summary: 'Receivers and routes as they are configured, without addresses',
        response: { 200: NotificationPlanReply, ...PROBLEMS },
      },
    },
    () => ({ plan: notificationPlan }),
  )
}

const viewOf = ({ body, receiver, channel, state, attempts, triedAt, sentAt, nextAt, error }: MessageRow): NotificationView => ({
  ...body,
  ...{ receiver, channel, state, attempts, tried_at: triedAt, sent_at: sentAt, next_at: nextAt, error },
})
