import { getTableName, sql } from 'drizzle-orm'
import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core'
import type { Database, Queries } from './database.ts'
import * as base from './schema.ts'
import * as access from './tables/access.ts'
import * as alarm from './tables/alarms.ts'
import * as analysis from './tables/analysis.ts'
import * as commissioning from './tables/commissioning.ts'
import * as consultation from './tables/consultations.ts'
import * as control from './tables/control.ts'
import * as imported from './tables/imports.ts'
import * as lost from './tables/lost-readings.ts'
import * as notification from './tables/notifications.ts'
import * as saved from './tables/saved-views.ts'
import * as shift from './tables/shift-log.ts'
import * as siteConfig from './tables/site-configs.ts'

/** The registry as rows of its tables, for a backup. A row is a JSON array of its columns as the database's own text: no number passes through another form, and a \u0000 inside of JSON, which the database stores but can't read, stays unread. */

export type RowBlock = { readonly table: string; readonly rows: readonly string[] }
export type RegistryCopy = {
  /** The newest migration: rows fit only tables that were made by the same ones. */
  version(): Promise<number>
  /** Every table as it is at one moment, in an order in which it can be put back. Nothing is held up meanwhile where the database is a server. */
  read(take: (block: RowBlock) => Promise<void>): Promise<void>
  /** A table that holds rows, or undefined. */
  filled(): Promise<string | undefined>
  /** All of it or nothing. @throws Fault DATA_CORRUPT for a table that is not known */
  restore(blocks: AsyncIterable<RowBlock>): Promise<void>
}

/** In the order of what refers to what. Not sessions (everybody signs in again) nor leases (they belong to processes that run). */
export const COPIED: readonly PgTable[] = [
  base.areas,
  base.canals,
  base.sites,
  base.structures,
  base.people,
  base.grants,
  base.births,
  base.deadLetters,
  base.audit,
  alarm.alarmRules,
  alarm.alarms,
  alarm.alarmJournal,
  notification.notifications,
  notification.toldAlarms,
  analysis.flowMethods,
  analysis.verdictRules,
  analysis.corrections,
  analysis.manualReadings,
  analysis.reportIssues,
  commissioning.commissioningRecords,
  control.commands,
  control.commandCounters,
  control.lockouts,
  control.holds,
  control.siteKeys,
  access.apiTokens,
  access.secondFactors,
  access.recoveryCodes,
  control.orders,
  control.plans,
  lost.lostReadings,
  imported.imports,
  saved.savedViews,
  shift.shiftEntries,
  shift.handovers,
  consultation.consultations,
  siteConfig.siteConfigs,
]
const ROWS_PER_BLOCK = 500

export function registryCopy(database: Database): RegistryCopy {
  return {
    version: () => database.version(),
    read: (take) =>
      database.transact(async (db) => {
        await db.execute(sql`set transaction isolation level repeatable read`)
        for (const table of COPIED) {
          await db.execute(
            sql`declare copied no scroll cursor for select array_to_json(array[${textOf(table)}])::text as row from ${table}`,
          )
          for (;;) {
            const rows = rowsOf(await db.execute(sql`fetch ${sql.raw(String(ROWS_PER_BLOCK))} from copied`))
            if (rows.length === 0) break
            await take({ table: getTableName(table), rows })
          }
          await db.execute(sql`close copied`)
        }
      }),
    filled: () =>
      database.query(async (db) => {
        for (const table of COPIED) {
          const found = await db.select({ one: sql<number>`1` }).from(table).limit(1)
          if (found.length > 0) return getTableName(table)
        }
        return undefined
      }),
    restore: (blocks) =>
      database.transact(async (db) => {
        for await (const { table: name, rows } of blocks) {
          const table = COPIED.find((t) => getTableName(t) === name)
          if (!table) throw new Error(`the backup holds a table ${name}, which this version does not know`)
          await db.execute(
            sql`insert into ${table} (${namesOf(table)}) overriding system value select ${typedOf(table)} from json_array_elements(${`[${rows.join(',')}]`}::json) as r`,
          )
        }
        for (const table of COPIED) await continueNumbers(db, table)
      }),
  }
}

const columnsOf = (table: PgTable) =>
  getTableConfig(table).columns.map((c) => ({ name: sql.identifier(c.name), type: sql.raw(c.getSQLType()) }))
const namesOf = (table: PgTable) =>
  sql.join(
    columnsOf(table).map(({ name }) => sql`${name}`),
    sql`, `,
  )
const textOf = (table: PgTable) =>
  sql.join(
    columnsOf(table).map(({ name }) => sql`${name}::text`),
    sql`, `,
  )
const typedOf = (table: PgTable) =>
  sql.join(
    columnsOf(table).map(({ type }, i) => sql`(r->>${sql.raw(String(i))})::${type}`),
    sql`, `,
  )

/** The next row gets the number after the last one that was put back. */
async function continueNumbers(db: Queries, table: PgTable): Promise<void> {
  const name = getTableName(table)
  const identity = await db
    .select({ name: sql<string>`column_name` })
    .from(sql`information_schema.columns`)
    .where(sql`table_schema = current_schema() and table_name = ${name} and is_identity = 'YES'`)
  for (const column of identity)
    await db.execute(
      sql`select setval(pg_get_serial_sequence(${name}, ${column.name}), greatest((select max(${sql.identifier(column.name)}) from ${table}), 1), exists (select 1 from ${table}))`,
    )
}

function rowsOf(result: unknown): string[] {
  const rows = typeof result === 'object' && result !== null && 'rows' in result ? result.rows : undefined
  if (!Array.isArray(rows)) throw new Error('the database answered with no rows')
  return rows.map((row: unknown) => {
    const text = typeof row === 'object' && row !== null && 'row' in row ? row.row : undefined
    if (typeof text !== 'string') throw new Error('the database answered with a row that is no text')
    return text
  })
}
