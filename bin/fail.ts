import { Fault, messageOf, systemCode } from '#contract/fault.ts'

/** What a person reads when a command can't go on: one sentence with the cause, one with what to do. */
export function explain(error: unknown): string {
  if (error instanceof Fault) return `sluice: ${error.message}\n  → ${error.next}`
  switch (systemCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `sluice: the disk is full (${messageOf(error)})\n  → make room, or name another folder with SLUICE_DATA, and start again`
    case 'ENOTDIR':
    case 'EEXIST':
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `sluice: a file can't be written (${messageOf(error)})\n  → name a data folder that this user may write with SLUICE_DATA`
    default:
      return `sluice: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`
  }
}
