import { randomUUID } from 'node:crypto'
import { and, count, desc, eq, inArray, notInArray, sql } from 'drizzle-orm'
import type { ConfigReport } from '#contract/site-config.ts'
import type { UnixMs } from '#contract/units.ts'
import type { Database } from './database.ts'
import type { Page, Paged } from './port.ts'
import { siteConfigs } from './tables/site-configs.ts'

/** `replaced`: it was in force until a later one was. `told`: the site's own file, as the agent told it. `superseded`: a newer one was sent before this was answered. `unanswered`: given up. */
export const SITE_CONFIG_STATES = [
  'sent',
  'trial',
  'in_force',
  'replaced',
  'refused',
  'rolled_back',
  'set_aside',
  'superseded',
  'unanswered',
  'told',
] as const
export type SiteConfigState = (typeof SITE_CONFIG_STATES)[number]
/** What the agent has ended with does not change any more, but that what is in force may be set aside later. */
const ENDED: readonly SiteConfigState[] = ['refused', 'rolled_back', 'set_aside', 'replaced', 'told']

export type SiteConfigRow = typeof siteConfigs.$inferSelect

export type SiteConfigs = {
  /** Takes the site's next version and keeps it, signed, all or nothing; one that has not been answered yet is superseded. */
  add(config: {
    readonly site: string
    readonly area: string
    readonly hash: string
    readonly text: string
    readonly trialS: number
    readonly by: string
    readonly why: string
    readonly at: UnixMs
    /** @returns base64 */
    readonly sign: (version: number) => string
  }): Promise<SiteConfigRow>
  /** What stands in the site's own file; the same again changes nothing. */
  addTold(told: {
    readonly site: string
    readonly area: string
    readonly hash: string
    readonly text: string
    readonly at: UnixMs
  }): Promise<void>
  /** The newest first. */
  list(site: string, page: Page): Promise<Paged<SiteConfigRow>>
  get(id: string): Promise<SiteConfigRow | undefined>
  /** Sent and not answered, or on trial. */
  open(): Promise<SiteConfigRow[]>
  /** @returns the row when the report changed it. */
  takeReport(report: ConfigReport, at: UnixMs): Promise<SiteConfigRow | undefined>
  /** @returns the row when it was still waited for. */
  giveUp(id: string, at: UnixMs): Promise<SiteConfigRow | undefined>
}

export function siteConfigRepository(database: Database): SiteConfigs {
  return {
    add: ({ at, sign, ...config }) =>
      database.transact(async (db) => {
        // Two people who send at once get two versions.
        await db.execute(sql`select pg_advisory_xact_lock(hashtext(${`site-config ${config.site}`}))`)
        const [last] = await db
          .select({ version: sql<number>`coalesce(max(greatest(${siteConfigs.version}, ${siteConfigs.seen})), 0)::int` })
          .from(siteConfigs)
          .where(eq(siteConfigs.site, config.site))
        await db
          .update(siteConfigs)
          .set({ state: 'superseded', updatedAt: at })
          .where(and(eq(siteConfigs.site, config.site), eq(siteConfigs.state, 'sent')))
        const version = (last?.version ?? 0) + 1
        const row: SiteConfigRow = {
          ...config,
          id: randomUUID(),
          version,
          state: 'sent',
          reason: null,
          madeAt: at,
          updatedAt: at,
          signed: sign(version),
          seen: 0,
        }
        await db.insert(siteConfigs).values(row)
        return row
      }),
    addTold: async ({ at, ...told }) => {
      const row = { ...told, id: randomUUID(), version: 0, state: 'told' as const, reason: null, trialS: 0, by: '', why: '' }
      await database.query((db) =>
        db
          .insert(siteConfigs)
          .values({ ...row, madeAt: at, updatedAt: at, signed: null, seen: 0 })
          .onConflictDoNothing(),
      )
    },
    list: async (site, { limit, offset }) => {
      const where = eq(siteConfigs.site, site)
      const [items, [counted]] = await Promise.all([
        database.query((db) =>
          db
            .select()
            .from(siteConfigs)
            .where(where)
            .orderBy(desc(siteConfigs.madeAt), desc(siteConfigs.version))
            .limit(limit)
            .offset(offset),
        ),
        database.query((db) => db.select({ total: count() }).from(siteConfigs).where(where)),
      ])
      return { items, total: counted?.total ?? 0 }
    },
    get: async (id) => {
      const [row] = await database.query((db) => db.select().from(siteConfigs).where(eq(siteConfigs.id, id)))
      return row
    },
    open: () =>
      database.query((db) =>
        db
          .select()
          .from(siteConfigs)
          .where(inArray(siteConfigs.state, ['sent', 'trial'])),
      ),
    takeReport: ({ site, version, state, reason, seen }, at) =>
      database.transact(async (db) => {
        const where = and(eq(siteConfigs.site, site), eq(siteConfigs.version, version), notInArray(siteConfigs.state, [...ENDED]))
        const [row] = await db.select().from(siteConfigs).where(where).for('update')
        if (!row || row.state === state || (row.state === 'in_force' && state !== 'set_aside')) return undefined
        const change = { state, reason, seen, updatedAt: at }
        if (state === 'in_force')
          await db
            .update(siteConfigs)
            .set({ state: 'replaced', updatedAt: at })
            .where(and(eq(siteConfigs.site, site), eq(siteConfigs.state, 'in_force')))
        await db.update(siteConfigs).set(change).where(eq(siteConfigs.id, row.id))
        return { ...row, ...change }
      }),
    giveUp: async (id, at) => {
      const [row] = await database.query((db) =>
        db
          .update(siteConfigs)
          .set({ state: 'unanswered', updatedAt: at })
          .where(and(eq(siteConfigs.id, id), inArray(siteConfigs.state, ['sent', 'trial'])))
          .returning(),
      )
      return row
    },
  }
}
