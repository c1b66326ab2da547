import { and, arrayContained, asc, desc, eq, gte, lte, or, sql } from 'drizzle-orm'
import type { Priority } from '#contract/alarm.ts'
import { Fault } from '#contract/fault.ts'
import type { Channel, MessageBody, MessageState } from '#contract/notification.ts'
import type { Database } from './database.ts'
import type { Page, Paged } from './port.ts'
import { alarms } from './tables/alarms.ts'
import { notifications, toldAlarms } from './tables/notifications.ts'

export type NewMessage = {
  readonly receiver: string
  readonly channel: Channel
  readonly body: MessageBody
  /** The alarms that it tells of, those too that its body has no room for. */
  readonly alarms: readonly { readonly id: string; readonly occurrence: number }[]
}
export type MessageRow = {
  readonly id: string
  readonly receiver: string
  readonly channel: Channel
  readonly body: MessageBody
  readonly at: number
  readonly state: MessageState
  readonly attempts: number
  readonly triedAt: number | null
  readonly nextAt: number
  readonly sentAt: number | null
  readonly error: string
}
export type Told = {
  readonly alarm: string
  readonly occurrence: number
  readonly receiver: string
  readonly step: number
  readonly at: number
}
export type RecentMessage = { readonly receiver: string; readonly step: number; readonly priority: Priority; readonly state: MessageState }

/** Times are ms since 1970 UTC. */
export type Notifications = {
  /** Durable when it resolves. @returns false, and nothing is kept, where one of the alarms has been told to the receiver in this step already. */
  put(message: NewMessage): Promise<boolean>
  /** What has been told of alarms that nobody has acknowledged. */
  told(): Promise<Told[]>
  /** Made since, or not sent yet. */
  recent(since: number): Promise<RecentMessage[]>
  /** The oldest message that is due, for the caller alone until `until`: should the caller die, it is due again then. */
  claim(now: number, until: number): Promise<MessageRow | undefined>
  end(id: string, how: { readonly state: 'sent' | 'failed'; readonly at: number; readonly error: string }): Promise<void>
  retry(id: string, how: { readonly nextAt: number; readonly error: string }): Promise<void>
  /** Newest first. `areas`: only those that tell of nothing else. */
  list(filter: { readonly areas?: readonly string[]; readonly state?: MessageState }, page: Page): Promise<Paged<MessageRow>>
}

/** PostgreSQL takes 65,535 parameters in one statement. */
const AT_ONCE = 1000

export function notificationRepository(database: Database): Notifications {
  return {
    put: async ({ receiver, channel, body, alarms: told }) => {
      const { id, step, priority, at } = body
      const areas = body.areas.filter((area) => area !== null)
      try {
        await database.transact(async (db) => {
          await db.insert(notifications).values({ id, receiver, channel, step, priority, areas, body, at, state: 'waiting', nextAt: at })
          const marks = told.map(({ id: alarm, occurrence }) => ({ alarm, occurrence, receiver, step, at, message: id }))
          for (let i = 0; i < marks.length; i += AT_ONCE) await db.insert(toldAlarms).values(marks.slice(i, i + AT_ONCE))
        })
        return true
      } catch (error) {
        if (error instanceof Fault && error.code === 'CONFLICT') return false
        throw error
      }
    },
    told: () =>
      database.query((db) =>
        db
          .select({
            alarm: toldAlarms.alarm,
            occurrence: toldAlarms.occurrence,
            receiver: toldAlarms.receiver,
            step: toldAlarms.step,
            at: toldAlarms.at,
          })
          .from(toldAlarms)
          .innerJoin(alarms, and(eq(alarms.id, toldAlarms.alarm), eq(alarms.occurrence, toldAlarms.occurrence)))
          .where(sql`${alarms.acknowledged} < ${alarms.occurrence}`),
      ),
    recent: (since) =>
      database.query((db) =>
        db
          .select({
            receiver: notifications.receiver,
            step: notifications.step,
            priority: notifications.priority,
            state: notifications.state,
          })
          .from(notifications)
          .where(or(gte(notifications.at, since), eq(notifications.state, 'waiting'))),
      ),
    claim: async (now, until) => {
      const [row] = await database.query((db) => {
        const due = db
          .select({ id: notifications.id })
          .from(notifications)
          .where(and(eq(notifications.state, 'waiting'), lte(notifications.nextAt, now)))
          .orderBy(asc(notifications.at), asc(notifications.id))
          .limit(1)
          .for('update', { skipLocked: true })
        return db
          .update(notifications)
          .set({ attempts: sql`${notifications.attempts} + 1`, triedAt: now, nextAt: until })
          .where(eq(notifications.id, due))
          .returning()
      })
      return row
    },
    end: async (id, { state, at, error }) => {
      await database.query((db) =>
        db
          .update(notifications)
          .set({ state, error, sentAt: state === 'sent' ? at : null })
          .where(eq(notifications.id, id)),
      )
    },
    retry: async (id, how) => {
      await database.query((db) => db.update(notifications).set(how).where(eq(notifications.id, id)))
    },
    list: ({ areas, state }, { limit, offset }) =>
      database.query(async (db) => {
        const where = and(
          areas === undefined ? undefined : areas.length === 0 ? sql`false` : arrayContained(notifications.areas, [...areas]),
          state === undefined ? undefined : eq(notifications.state, state),
        )
        const items = await db
          .select()
          .from(notifications)
          .where(where)
          .orderBy(desc(notifications.at), desc(notifications.id))
          .limit(limit)
          .offset(offset)
        const [count] = await db.select({ n: sql<number>`count(*)::int` }).from(notifications).where(where)
        return { items, total: count?.n ?? 0 }
      }),
  }
}
