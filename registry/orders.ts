import { and, asc, desc, eq, gte, inArray, lt, sql } from 'drizzle-orm'
import type { OrderState } from '#contract/order.ts'
import { appendTo } from './audit.ts'
import type { OrderRegistry, OrderRow } from './control-port.ts'
import type { Database } from './database.ts'
import { orders, plans } from './tables/control.ts'

const toOrder = (row: typeof orders.$inferSelect): OrderRow => ({ ...row, state: row.state as OrderState })

export function orderRepository(database: Database): OrderRegistry {
  return {
    add: (order, told) =>
      database.transact(async (db) => {
        await db.execute(sql`select pg_advisory_xact_lock(5177202, ${order.year})`)
        const [last] = await db
          .select({ n: sql<number>`coalesce(max(${orders.number}), 0)::int` })
          .from(orders)
          .where(eq(orders.year, order.year))
        const [row] = await db
          .insert(orders)
          .values({ ...order, steps: [...order.steps], number: (last?.n ?? 0) + 1, updatedAt: order.createdAt })
          .returning()
        if (!row) throw new Error('the order was not written')
        await appendTo(db, told(toOrder(row)))
        return toOrder(row)
      }),
    order: async (id) => {
      const [row] = await database.query((db) => db.select().from(orders).where(eq(orders.id, id)))
      return row && toOrder(row)
    },
    list: ({ areas }, { limit, offset }) =>
      database.query(async (db) => {
        const where = areas === null ? undefined : inArray(orders.area, [...areas])
        const items = await db.select().from(orders).where(where).orderBy(desc(orders.createdAt)).limit(limit).offset(offset)
        const [count] = await db.select({ n: sql<number>`count(*)::int` }).from(orders).where(where)
        return { items: items.map(toOrder), total: count?.n ?? 0 }
      }),
    step: (id, { from, step }, told) =>
      database.transact(async (db) => {
        const [row] = await db.select().from(orders).where(eq(orders.id, id)).for('update')
        if (!row || row.state !== from) return undefined
        const [changed] = await db
          .update(orders)
          .set({ state: step.state, steps: [...row.steps, step], updatedAt: step.at })
          .where(eq(orders.id, id))
          .returning()
        if (!changed) throw new Error('the order was not written')
        await appendTo(db, told(toOrder(changed)))
        return toOrder(changed)
      }),
    putPlans: (rows, entry) =>
      database.transact(async (db) => {
        for (const { structure, from, kind, volumeM3, by, at } of rows) {
          const row = { volumeM3, by, at }
          await db
            .insert(plans)
            .values({ structure, from, kind, ...row })
            .onConflictDoUpdate({ target: [plans.structure, plans.from, plans.kind], set: row })
        }
        await appendTo(db, entry)
      }),
    plans: ({ from, to }) =>
      database.query((db) =>
        db
          .select()
          .from(plans)
          .where(and(gte(plans.from, from), lt(plans.from, to)))
          .orderBy(asc(plans.structure), asc(plans.from)),
      ),
  }
}
