import { bigint, doublePrecision, index, integer, json, pgTable, primaryKey, text, unique } from 'drizzle-orm/pg-core'
import type { FlowMethod } from '#contract/flow-method.ts'
import type { ManualKind } from '#contract/manual-reading.ts'
import type { VerdictRule } from '#contract/verdict-rule.ts'
import type { Ruling } from '../corrections.ts'

const ms = (name: string) => bigint(name, { mode: 'number' })
const identity = () => bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity()
/** Who did it, and when. */
const made = { by: text('by_whom').notNull(), at: ms('at').notNull() }

/** Never changed: a later row of the same date takes the place of an earlier one. */
export const flowMethods = pgTable(
  'flow_methods',
  {
    id: identity(),
    structure: text('structure').notNull(),
    from: ms('from_ms').notNull(),
    method: json('method').$type<FlowMethod>().notNull(),
    ...made,
  },
  (t) => [index('flow_methods_structure').on(t.structure, t.from)],
)

export const verdictRules = pgTable(
  'verdict_rules',
  { gate: text('gate').notNull(), metric: text('metric').notNull(), rule: json('rule').$type<VerdictRule>().notNull(), ...made },
  (t) => [primaryKey({ columns: [t.gate, t.metric] })],
)

export const corrections = pgTable(
  'corrections',
  {
    id: identity(),
    gate: text('gate').notNull(),
    metric: text('metric').notNull(),
    from: ms('from_ms').notNull(),
    to: ms('to_ms').notNull(),
    ruling: json('ruling').$type<Ruling>().notNull(),
    reason: text('reason').notNull(),
    ...made,
    withdrawnBy: text('withdrawn_by'),
    withdrawnAt: ms('withdrawn_at'),
    withdrawnWhy: text('withdrawn_why'),
  },
  (t) => [index('corrections_gate').on(t.gate, t.from)],
)

export const manualReadings = pgTable(
  'manual_readings',
  {
    id: identity(),
    gate: text('gate').notNull(),
    kind: text('kind').$type<ManualKind>().notNull(),
    t: ms('t').notNull(),
    value: doublePrecision('value').notNull(),
    uncertainty: doublePrecision('uncertainty'),
    observer: text('observer').notNull(),
    note: text('note').notNull(),
    ...made,
  },
  (t) => [unique('manual_readings_identity').on(t.gate, t.kind, t.t)],
)

/** Every issue of a report as it was given out. */
export const reportIssues = pgTable(
  'report_issues',
  {
    kind: text('kind').notNull(),
    period: text('period').notNull(),
    area: text('area').notNull(),
    issue: integer('issue').notNull(),
    digest: text('digest').notNull(),
    content: json('content').$type<Record<string, unknown>>().notNull(),
    ...made,
  },
  (t) => [primaryKey({ columns: [t.kind, t.period, t.area, t.issue] })],
)

/** Who holds what for a while; times are the database's own. */
export const leases = pgTable('leases', {
  name: text('name').primaryKey(),
  holder: text('holder').notNull(),
  until: ms('until_ms').notNull(),
  term: integer('term').notNull(),
})
