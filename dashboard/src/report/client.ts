import type { ReportIssueView, ReportKind } from '#contract/http/report.ts'
import type { Read } from '../alarm/client.ts'

export type ReportAsk = {
  readonly kind: ReportKind
  /** Any time in the period, ms since 1970 UTC; null: the last one that is over. */
  readonly at: number | null
  readonly area: string | null
  /** null: the figures of now. */
  readonly issue: number | null
}
/** The server's `/api/v1/reports` as functions. Each @throws RequestFailure */
export type ReportClient = {
  report(ask: ReportAsk, options?: { signal?: AbortSignal }): Promise<ReportIssueView>
  issue(ask: { kind: ReportKind; at: number; area: string | null }): Promise<ReportIssueView>
}

export function reportClient(read: Read): ReportClient {
  return {
    report: (ask, options = {}) => read(`/reports/${ask.kind}?${queryOf(ask)}`, options),
    issue: ({ kind, at, area }) =>
      read(`/reports/${kind}/issues`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ at, ...(area !== null && { area }) }),
      }),
  }
}

/** Where the browser fetches the same report as a file. */
export const reportFile = (ask: ReportAsk, { format, lang }: { format: 'pdf' | 'xlsx'; lang: string }): string =>
  `/api/v1/reports/${ask.kind}/${format}?${queryOf(ask)}&lang=${lang}`

const queryOf = ({ at, area, issue }: ReportAsk): string =>
  new URLSearchParams({
    ...(at !== null && { at: String(at) }),
    ...(area !== null && { area }),
    ...(issue !== null && { issue: String(issue) }),
  }).toString()
