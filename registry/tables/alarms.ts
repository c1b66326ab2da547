import { bigint, boolean, doublePrecision, index, integer, json, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { AlarmKind, JournalEvent, Priority, RuleSetting } from '#contract/alarm.ts'

const ms = (name: string) => bigint(name, { mode: 'number' })

/** What engineers have set; a rule that stands in no row is the default of its kind. */
export const alarmRules = pgTable('alarm_rules', {
  id: text('id').primaryKey(),
  setting: json('setting').$type<RuleSetting>().notNull(),
  by: text('by_login').notNull(),
  at: ms('at').notNull(),
})

/** One row for each alarm that has ever begun. Ingest writes the condition, people the rest; no column is written by both. */
export const alarms = pgTable(
  'alarms',
  {
    id: text('id').primaryKey(),
    kind: text('kind').$type<AlarmKind>().notNull(),
    area: text('area'),
    site: text('site'),
    gate: text('gate'),
    priority: text('priority').$type<Priority>().notNull(),
    phase: text('phase').$type<'normal' | 'rising' | 'active' | 'falling'>().notNull(),
    since: ms('since'),
    clearSince: ms('clear_since'),
    sampleAt: ms('sample_at'),
    occurrence: integer('occurrence').notNull(),
    value: doublePrecision('value'),
    limit: doublePrecision('limit_value'),
    suppressed: boolean('suppressed').notNull(),
    raisedAt: ms('raised_at'),
    returnedAt: ms('returned_at'),
    /** The occurrence that was acknowledged last: a new one is unacknowledged by itself. */
    acknowledged: integer('acknowledged').notNull().default(0),
    acknowledgedBy: text('acknowledged_by'),
    acknowledgedAt: ms('acknowledged_at'),
    shelvedUntil: ms('shelved_until'),
    shelvedBy: text('shelved_by'),
    shelveReason: text('shelve_reason'),
    outOfService: boolean('out_of_service').notNull().default(false),
    rev: integer('rev').notNull().default(1),
    /** By the database's clock, so that every reader of changes agrees. */
    changedAt: ms('changed_at').notNull(),
  },
  (t) => [index('alarms_changed').on(t.changedAt)],
)

/** Append-only. What ingest tells twice after a restart is one row. */
export const alarmJournal = pgTable(
  'alarm_journal',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    alarm: text('alarm').notNull(),
    area: text('area'),
    occurrence: integer('occurrence').notNull(),
    event: text('event').$type<JournalEvent>().notNull(),
    at: ms('at').notNull(),
    who: text('who').notNull(),
    note: text('note').notNull(),
    value: doublePrecision('value'),
    /** Of a shelving: when it ends by itself. */
    until: ms('until'),
  },
  (t) => [uniqueIndex('alarm_journal_once').on(t.alarm, t.event, t.occurrence, t.at, t.who), index('alarm_journal_at').on(t.at)],
)
