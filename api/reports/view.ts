import { Fault } from '#contract/fault.ts'
import type { ReportContent, ReportIssueView } from '#contract/http/report.ts'
import type { ReportIssue } from '#registry/report-issues.ts'
import { changedGates, digestOf, rowsIn } from './content.ts'

type Shown = {
  /** Figures of now. */
  readonly content: ReportContent
  readonly issues: readonly ReportIssue[]
  /** Number of the issue to show, not given for the figures of now. */
  readonly asked?: number | undefined
  readonly running: boolean
}

/** A report as it is now or was issued, beside the issue that a reader compares it with. @throws Fault NOT_FOUND for an issue that there is not */
export function viewOf({ content: now, issues, asked, running }: Shown): ReportIssueView {
  // The whole district's issues hold areas that this person may not see.
  const seen = new Set(now.areas.map((a) => a.id))
  // It was checked against the same schema when it was filed.
  const contentIn = (issue: ReportIssue): ReportContent => {
    const filed = issue.content as unknown as ReportContent
    return { ...filed, areas: filed.areas.filter((a) => seen.has(a.id)) }
  }
  const last = issues.at(-1)
  const chosen = asked === undefined ? undefined : issues.find((i) => i.issue === asked)
  if (asked !== undefined && !chosen)
    throw new Fault('NOT_FOUND', `the report has no issue ${asked}`, `it has ${issues.length}; leave issue out for the figures of now`)
  const isCurrent = last !== undefined && digestOf(contentIn(last)) === digestOf(now)
  const content = chosen ? contentIn(chosen) : now
  const number = chosen?.issue ?? last?.issue ?? 0
  const before = chosen || isCurrent ? issues.find((i) => i.issue === number - 1) : last
  const changed = before ? changedGates(contentIn(before), content) : []
  const said = before ? rowsIn(contentIn(before)).filter((r) => changed.includes(r.gate)) : []
  return {
    issue: last?.issue ?? null,
    issued_at: last?.at ?? null,
    issued_by: last?.by ?? null,
    issues: issues.map(({ issue, at, by }) => ({ issue, at, by })),
    shown: chosen?.issue ?? null,
    compared_with: before?.issue ?? null,
    changed,
    before: Object.fromEntries(
      said.map(({ gate, volume_m3, plus_minus_m3, completeness }) => [gate, { volume_m3, plus_minus_m3, completeness }]),
    ),
    running,
    is_current: isCurrent,
    content,
  }
}
