import type { NotificationList, NotificationPlanReply } from '#contract/http/notification.ts'
import type { MessageState } from '#contract/notification.ts'
import type { Read } from '../alarm/client.ts'

/** The server's `/api/v1/notifications` as functions. Each @throws RequestFailure */
export type NotificationClient = {
  list(ask: { limit: number; state?: MessageState }): Promise<NotificationList>
  plan(): Promise<NotificationPlanReply>
}

export const notificationClient = (read: Read): NotificationClient => ({
  list: ({ limit, state }) => read(`/notifications?${new URLSearchParams({ limit: String(limit), ...(state ? { state } : {}) })}`),
  plan: () => read('/notifications/plan'),
})
