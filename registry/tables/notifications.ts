import { bigint, index, integer, json, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { Priority } from '#contract/alarm.ts'
import type { Channel, MessageBody, MessageState } from '#contract/notification.ts'

const ms = (name: string) => bigint(name, { mode: 'number' })

/** The queue of what is told to people outside, and its record. Written before it is sent. */
export const notifications = pgTable(
  'notifications',
  {
    id: text('id').primaryKey(),
    receiver: text('receiver').notNull(),
    channel: text('channel').$type<Channel>().notNull(),
    step: integer('step').notNull(),
    priority: text('priority').$type<Priority>().notNull(),
    /** Of its alarms; those of the center have none. */
    areas: text('areas').array().notNull(),
    body: json('body').$type<MessageBody>().notNull(),
    at: ms('at').notNull(),
    state: text('state').$type<MessageState>().notNull(),
    attempts: integer('attempts').notNull().default(0),
    triedAt: ms('tried_at'),
    nextAt: ms('next_at').notNull(),
    sentAt: ms('sent_at'),
    error: text('error').notNull().default(''),
  },
  (t) => [index('notifications_at').on(t.at), index('notifications_waiting').on(t.state, t.nextAt)],
)

/** Each occurrence of an alarm is told to a receiver once in each step. */
export const toldAlarms = pgTable(
  'told_alarms',
  {
    alarm: text('alarm').notNull(),
    occurrence: integer('occurrence').notNull(),
    receiver: text('receiver').notNull(),
    step: integer('step').notNull(),
    at: ms('at').notNull(),
    message: text('message').notNull(),
  },
  (t) => [primaryKey({ columns: [t.alarm, t.occurrence, t.receiver, t.step] })],
)
