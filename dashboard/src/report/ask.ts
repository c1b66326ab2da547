import type { LocationQuery } from 'vue-router'
import { REPORT_KINDS } from '#contract/http/report.ts'
import type { ReportAsk } from './client.ts'

/** The report that an address names; ten days that are over where it names none. */
export function askIn(query: LocationQuery): ReportAsk {
  const at = Number(query['at'] ?? Number.NaN)
  const issue = Number(query['issue'] ?? Number.NaN)
  return {
    kind: REPORT_KINDS.find((k) => k === query['kind']) ?? 'tenday',
    at: Number.isSafeInteger(at) && at >= 0 ? at : null,
    area: typeof query['area'] === 'string' && query['area'] !== '' ? query['area'] : null,
    issue: Number.isSafeInteger(issue) && issue > 0 ? issue : null,
  }
}

export const queryOf = ({ kind, at, area, issue }: ReportAsk): Record<string, string> => ({
  kind,
  ...(at !== null && { at: String(at) }),
  ...(area !== null && { area }),
  ...(issue !== null && { issue: String(issue) }),
})
