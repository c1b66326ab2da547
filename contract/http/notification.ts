import { type Static, Type } from 'typebox'
import { PageQuery, paged } from '../http.ts'
import { CHANNELS, MESSAGE_STATES, MessageBody, NotificationPlan } from '../notification.ts'

/** One message to one receiver, and what became of it. Times are ms since 1970 UTC. */
export const NotificationView = Type.Object({
  ...MessageBody.properties,
  receiver: Type.String(),
  channel: Type.Enum([...CHANNELS]),
  state: Type.Enum([...MESSAGE_STATES]),
  attempts: Type.Integer(),
  tried_at: Type.Union([Type.Number(), Type.Null()]),
  sent_at: Type.Union([Type.Number(), Type.Null()]),
  next_at: Type.Number({ description: 'When it is tried next, while it waits' }),
  error: Type.String({ description: 'Of the last try; empty for none' }),
})
export type NotificationView = Static<typeof NotificationView>
export const NotificationList = paged(NotificationView)
export type NotificationList = Static<typeof NotificationList>
export const NotificationQuery = Type.Object({ ...PageQuery.properties, state: Type.Optional(Type.Enum([...MESSAGE_STATES])) })
export const NotificationPlanReply = Type.Object({
  plan: Type.Union([NotificationPlan, Type.Null()], { description: 'Null: nobody is told' }),
})
export type NotificationPlanReply = Static<typeof NotificationPlanReply>
