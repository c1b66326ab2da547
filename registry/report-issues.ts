import { and, asc, eq, sql } from 'drizzle-orm'
import type { UnixMs } from '#contract/units.ts'
import type { Database } from './database.ts'
import { reportIssues } from './tables/analysis.ts'

export type ReportName = { readonly kind: string; readonly period: string; readonly area: string }
export type ReportIssue = ReportName & {
  /** 1, 2, …: above 1 it was given out again because its figures had changed. */
  readonly issue: number
  readonly digest: string
  readonly content: Record<string, unknown>
  readonly by: string
  readonly at: UnixMs
}
export type ReportIssues = {
  /** Files a new issue unless the last one has the same digest. @returns the last issue, and whether it is new. */
  file(report: Omit<ReportIssue, 'issue'>): Promise<{ last: ReportIssue; isNew: boolean }>
  /** Every issue of a report, oldest first. */
  of(name: ReportName): Promise<ReportIssue[]>
}

export function reportIssueRepository(database: Database): ReportIssues {
  const which = ({ kind, period, area }: ReportName) =>
    and(eq(reportIssues.kind, kind), eq(reportIssues.period, period), eq(reportIssues.area, area))
  return {
    file: (report) =>
      database.transact(async (db) => {
        // Two people who issue at once must not both make issue 2.
        await db.execute(sql`select pg_advisory_xact_lock(hashtext(${`report ${report.kind} ${report.period} ${report.area}`}))`)
        const rows = await db.select().from(reportIssues).where(which(report)).orderBy(asc(reportIssues.issue))
        const before = rows.at(-1)
        if (before && before.digest === report.digest) return { last: toIssue(before), isNew: false }
        const next = { ...report, issue: (before?.issue ?? 0) + 1 }
        await db.insert(reportIssues).values(next)
        return { last: next, isNew: true }
      }),
    of: async (name) =>
      (await database.query((db) => db.select().from(reportIssues).where(which(name)).orderBy(asc(reportIssues.issue)))).map(toIssue),
  }
}

const toIssue = ({ at, ...row }: typeof reportIssues.$inferSelect): ReportIssue => ({ ...row, at: at as UnixMs })
