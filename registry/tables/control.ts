import { bigint, boolean, index, integer, json, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { CommandAction, CommandReport } from '#contract/command.ts'
import type { OrderTarget } from '#contract/http/order.ts'
import type { CommandState, OrderStep } from '../control-port.ts'

const ms = (name: string) => bigint(name, { mode: 'number' })

/** One row for each command, from its selection to the agent's last word. */
export const commands = pgTable(
  'commands',
  {
    id: text('id').primaryKey(),
    structure: text('structure').notNull(),
    area: text('area').notNull(),
    site: text('site').notNull(),
    action: json('action').$type<CommandAction>().notNull(),
    state: text('state').$type<CommandState>().notNull(),
    reason: text('reason'),
    needsSecond: boolean('needs_second').notNull(),
    by: text('by_login').notNull(),
    session: text('session').notNull(),
    approvedBy: text('approved_by'),
    order: text('order_id'),
    counter: ms('counter'),
    /** base64; what is published, and published again until the agent has answered. */
    signed: text('signed'),
    selectedAt: ms('selected_at').notNull(),
    /** Of the selection, then of the command. */
    expiresAt: ms('expires_at').notNull(),
    confirmedAt: ms('confirmed_at'),
    movingAt: ms('moving_at'),
    updatedAt: ms('updated_at').notNull(),
    report: json('report').$type<CommandReport>(),
  },
  (t) => [index('commands_structure').on(t.structure, t.selectedAt), index('commands_state').on(t.state)],
)

/** The last counter given out for each structure; whoever gives one out locks the row. */
export const commandCounters = pgTable('command_counters', { structure: text('structure').primaryKey(), counter: ms('counter').notNull() })

/** 挂牌 */
export const lockouts = pgTable(
  'lockouts',
  {
    id: text('id').primaryKey(),
    structure: text('structure').notNull(),
    reason: text('reason').notNull(),
    by: text('by_login').notNull(),
    byName: text('by_name').notNull(),
    at: ms('at').notNull(),
    until: ms('until').notNull(),
    liftedBy: text('lifted_by'),
    liftedAt: ms('lifted_at'),
  },
  (t) => [index('lockouts_structure').on(t.structure)],
)

/** Who holds the control of a canal. */
export const holds = pgTable('holds', {
  canal: text('canal').primaryKey(),
  login: text('login').notNull(),
  name: text('name').notNull(),
  since: ms('since').notNull(),
  offeredTo: text('offered_to'),
})

/** What a site's agent shares with the center. The site key opens its reports and seals its receipts, so it stands here in clear. */
export const siteKeys = pgTable('site_keys', {
  site: text('site').primaryKey(),
  area: text('area').notNull(),
  siteKey: text('site_key').notNull(),
  mqttUser: text('mqtt_user').notNull().unique(),
  /** PBKDF2-SHA512 as Mosquitto's password file writes it. */
  mqttHash: text('mqtt_hash').notNull(),
  madeAt: ms('made_at').notNull(),
  revokedAt: ms('revoked_at'),
})

/** 调度指令 */
export const orders = pgTable(
  'orders',
  {
    id: text('id').primaryKey(),
    year: integer('year').notNull(),
    number: integer('number').notNull(),
    area: text('area').notNull(),
    structure: text('structure').notNull(),
    state: text('state').notNull(),
    target: json('target').$type<OrderTarget>().notNull(),
    reason: text('reason').notNull(),
    effectiveAt: ms('effective_at').notNull(),
    travelMs: ms('travel_ms').notNull(),
    steps: json('steps').$type<OrderStep[]>().notNull(),
    createdAt: ms('created_at').notNull(),
    updatedAt: ms('updated_at').notNull(),
  },
  (t) => [uniqueIndex('orders_number').on(t.year, t.number), index('orders_created').on(t.createdAt)],
)

/** Ten-day plan of an intake's water, and its quota of the water year. */
export const plans = pgTable(
  'plans',
  {
    structure: text('structure').notNull(),
    /** Start of the ten days; the quota of a water year stands at the year's start with `kind` quota. */
    from: ms('from_at').notNull(),
    kind: text('kind').$type<'tenday' | 'quota'>().notNull(),
    volumeM3: ms('volume_m3').notNull(),
    by: text('by_login').notNull(),
    at: ms('at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.structure, t.from, t.kind] })],
)
