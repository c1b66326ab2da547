import type { AuditAsk, AuditList } from '#contract/http/audit.ts'

/** The server's `/api/v1/audit` as functions. Each @throws RequestFailure */
export type AuditClient = {
  list(ask: AuditAsk, page: { limit: number; offset: number }): Promise<AuditList>
  /** Where the browser fetches the file. */
  exportAddress(ask: AuditAsk, format: 'csv' | 'jsonl'): string
}

const queryOf = (ask: AuditAsk, more: Record<string, string>): string => {
  const given = Object.entries(ask).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as [string, string]]))
  return new URLSearchParams([...given, ...Object.entries(more)]).toString()
}

export const auditClient = (read: <T>(path: string) => Promise<T>): AuditClient => ({
  list: (ask, { limit, offset }) => read(`/audit?${queryOf(ask, { limit: String(limit), offset: String(offset) })}`),
  exportAddress: (ask, format) => `/api/v1/audit/export?${queryOf(ask, { format })}`,
})
