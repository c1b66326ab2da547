import { bigint, boolean, doublePrecision, index, integer, json, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { Structure, StructureType } from '#contract/district.ts'
import type { Role } from '#contract/may.ts'
import type { BirthTable } from '#contract/sparkplug/birth.ts'
import type { ReplayState } from './port.ts'

/** The registry's tables. Ids are text; times are bigint milliseconds since 1970 UTC, as everywhere in Sluice. `npx drizzle-kit generate --config registry/drizzle.config.ts` writes the migration for a change made here. */

const ms = (name: string) => bigint(name, { mode: 'number' })
const nameColumns = { nameZh: text('name_zh').notNull(), nameEn: text('name_en').notNull() }

export const areas = pgTable('areas', { id: text('id').primaryKey(), ...nameColumns, position: integer('position').notNull() })

export const canals = pgTable('canals', {
  id: text('id').primaryKey(),
  ...nameColumns,
  area: text('area')
    .notNull()
    .references(() => areas.id),
  parent: text('parent'),
  parentChainageKm: doublePrecision('parent_chainage_km'),
  lengthKm: doublePrecision('length_km'),
  designFlowM3s: doublePrecision('design_flow_m3s'),
})

export const sites = pgTable('sites', {
  id: text('id').primaryKey(),
  ...nameColumns,
  area: text('area')
    .notNull()
    .references(() => areas.id),
  station: text('station').notNull(),
  reportIntervalMs: integer('report_interval_ms').notNull(),
})

export const structures = pgTable(
  'structures',
  {
    id: text('id').primaryKey(),
    seedId: text('seed_id'),
    ...nameColumns,
    provenance: text('provenance').$type<Structure['provenance']>().notNull(),
    area: text('area')
      .notNull()
      .references(() => areas.id),
    canal: text('canal')
      .notNull()
      .references(() => canals.id),
    site: text('site')
      .notNull()
      .references(() => sites.id),
    type: text('type').$type<StructureType>().notNull(),
    leaves: integer('leaves').notNull(),
    leafWidthM: doublePrecision('leaf_width_m').notNull(),
    leafHeightM: doublePrecision('leaf_height_m').notNull(),
    designFlowM3s: doublePrecision('design_flow_m3s').notNull(),
    chainageKm: doublePrecision('chainage_km').notNull(),
    sillM: doublePrecision('sill_m').notNull(),
    datumM: doublePrecision('datum_m').notNull(),
    designLevelUpM: doublePrecision('design_level_up_m').notNull(),
    designLevelDownM: doublePrecision('design_level_down_m').notNull(),
    lat: doublePrecision('lat').notNull(),
    lon: doublePrecision('lon').notNull(),
  },
  (t) => [index('structures_site').on(t.site), index('structures_canal').on(t.canal)],
)

export const people = pgTable('people', {
  id: text('id').primaryKey(),
  login: text('login').notNull().unique(),
  name: text('name').notNull(),
  passwordHash: text('password_hash').notNull(),
  failedSignIns: integer('failed_sign_ins').notNull().default(0),
  lockedUntil: ms('locked_until'),
  /** Somebody else knows the password: until it is changed the person may do nothing else. */
  mustChangePassword: boolean('must_change_password').notNull().default(false),
  disabledAt: ms('disabled_at'),
})

export const grants = pgTable(
  'grants',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    person: text('person')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    role: text('role').$type<Role>().notNull(),
    /** Null is the whole district. */
    area: text('area').references(() => areas.id),
  },
  (t) => [index('grants_person').on(t.person)],
)

export const sessions = pgTable(
  'sessions',
  {
    tokenHash: text('token_hash').primaryKey(),
    person: text('person')
      .notNull()
      .references(() => people.id, { onDelete: 'cascade' }),
    createdAt: ms('created_at').notNull(),
    expiresAt: ms('expires_at').notNull(),
    ip: text('ip'),
    /** What the browser calls itself. */
    agent: text('agent'),
    /** It was begun, or confirmed since, with a code of the second factor. */
    secondFactor: boolean('second_factor').notNull().default(false),
  },
  (t) => [index('sessions_expires_at').on(t.expiresAt), index('sessions_person').on(t.person)],
)

export const births = pgTable(
  'births',
  {
    group: text('group_id').notNull(),
    node: text('node_id').notNull(),
    /** Empty is the node's own birth: no Sparkplug id is empty, and a key holds no null. */
    device: text('device_id').notNull(),
    // json, not jsonb: a foreign metric's name may hold \u0000, which jsonb refuses.
    table: json('birth').$type<BirthTable>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.group, t.node, t.device] })],
)

export const deadLetters = pgTable(
  'dead_letters',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    /** SHA-256 of group, node, device, metric and reason: a reason may be longer than an index takes. */
    fold: text('fold').notNull().unique(),
    group: text('group_id').notNull(),
    node: text('node_id').notNull(),
    device: text('device_id'),
    metric: text('metric'),
    reason: text('reason').notNull(),
    /** Of a batch that was refused as a whole: its id, decimal. */
    batch: text('batch'),
    payload: text('payload').notNull(),
    count: bigint('count', { mode: 'number' }).notNull(),
    firstAt: ms('first_at').notNull(),
    lastAt: ms('last_at').notNull(),
    replayState: text('replay_state').$type<ReplayState>(),
    replayBy: text('replay_by'),
    /** When it was asked for, then when it was done. */
    replayAt: ms('replay_at'),
    replaySamples: integer('replay_samples'),
    replayNote: text('replay_note'),
  },
  (t) => [index('dead_letters_last_at').on(t.lastAt, t.id)],
)

/** Append-only: a trigger (see the migrations) refuses UPDATE, DELETE and TRUNCATE. */
export const audit = pgTable(
  'audit',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    at: ms('at').notNull(),
    who: text('who').notNull(),
    action: text('action').notNull(),
    subject: text('subject').notNull(),
    details: json('details').$type<Record<string, unknown>>().notNull(),
    /** Of the entry before, and of this one with it; null in entries of before the chain. */
    prevHash: text('prev_hash'),
    hash: text('hash'),
  },
  (t) => [index('audit_at').on(t.at)],
)
