import type { AuditFilter, AuditRegistry, AuditRow } from '#registry/audit.ts'
import { localTime } from './rows.ts'

const BLOCK = 1000
const COLUMNS = ['id', 'time', 'time_ms', 'who', 'action', 'subject', 'details', 'prev_hash', 'hash'] as const

/** Newest first, a block at a time: of a trail of any length. */
async function* blocksOf(audit: Pick<AuditRegistry, 'some'>, filter: AuditFilter): AsyncGenerator<AuditRow[]> {
  let before: number | undefined
  for (;;) {
    const rows = await audit.some({ ...filter, before }, BLOCK)
    if (rows.length > 0) yield rows
    if (rows.length < BLOCK) return
    before = rows.at(-1)?.id
  }
}

/** RFC 4180. A stranger's words stand in the trail: what a spreadsheet would take for a formula gets an apostrophe before it. */
export function csvCell(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}

export async function* auditCsv(audit: Pick<AuditRegistry, 'some'>, filter: AuditFilter, offsetMin: number): AsyncGenerator<string> {
  const time = localTime(offsetMin)
  // Excel takes a file without a mark for the local code page, and Chinese names for noise.
  yield `\uFEFF${COLUMNS.join(',')}\r\n`
  for await (const rows of blocksOf(audit, filter)) {
    let text = ''
    for (const { id, at, who, action, subject, details, prevHash, hash } of rows) {
      const cells = [who, action, subject, JSON.stringify(details)].map(csvCell).join(',')
      text += `${id},${time(at)},${at},${cells},${prevHash ?? ''},${hash ?? ''}\r\n`
    }
    yield text
  }
}

/** One entry a line, with what its hash is of: `sluice audit verify` can be done again by anybody. */
export async function* auditLines(audit: Pick<AuditRegistry, 'some'>, filter: AuditFilter): AsyncGenerator<string> {
  for await (const rows of blocksOf(audit, filter)) {
    let text = ''
    for (const { id, at, who, action, subject, details, prevHash, hash } of rows)
      text += `${JSON.stringify({ id, at, who, action, subject, details, prev_hash: prevHash, hash })}\n`
    yield text
  }
}
