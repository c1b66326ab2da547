import { bigint, index, integer, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { SiteConfigState } from '../site-configs.ts'

const ms = (name: string) => bigint(name, { mode: 'number' })

/** Each version of a site's configuration that the center has sent or been told. */
export const siteConfigs = pgTable(
  'site_configs',
  {
    id: text('id').primaryKey(),
    site: text('site').notNull(),
    area: text('area').notNull(),
    /** Counted for each site from 1; 0 for what stood in the site's own file. */
    version: ms('version').notNull(),
    hash: text('hash').notNull(),
    text: text('text').notNull(),
    state: text('state').$type<SiteConfigState>().notNull(),
    reason: text('reason'),
    trialS: integer('trial_s').notNull(),
    by: text('by_login').notNull(),
    why: text('why').notNull(),
    madeAt: ms('made_at').notNull(),
    updatedAt: ms('updated_at').notNull(),
    /** base64; what is published, and published again until the agent has answered. Null for what was told. */
    signed: text('signed'),
    /** The highest version that the agent said it has seen: after a restored backup it may be more than ours. */
    seen: ms('seen').notNull(),
  },
  (t) => [
    uniqueIndex('site_configs_version').on(t.site, t.version, t.hash),
    index('site_configs_made').on(t.site, t.madeAt),
    index('site_configs_state').on(t.state),
  ],
)
