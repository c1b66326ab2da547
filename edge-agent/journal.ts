import { closeSync, openSync, writeSync } from 'node:fs'
import type { Logger } from 'pino'
import { messageOf } from '#contract/fault.ts'
import type { Reading } from '#contract/reading.ts'
import type { UnixMs } from '#contract/units.ts'

/**
 * One line of the journal: what of a device's readings was kept, and under which time; none where the center knew them all within the
 * deadband. `missed` is the time on the poll grid at which
 * nothing was read, or nothing could be kept.
 */
export type JournalEntry =
  | { readonly structure: string; readonly t: UnixMs; readonly readings: Readonly<Record<string, Reading>> }
  | { readonly missed: UnixMs; readonly bus: string; readonly structure?: string }

export type Journal = { readonly write: (entry: JournalEntry) => void; readonly close: () => void }

/** An agent that keeps no journal. */
export const NO_JOURNAL: Journal = { write: () => undefined, close: () => undefined }

/** Lines of JSON at the end of a file, for audits. A line that was written survives the agent's death, though not a power cut. */
export function openJournal(file: string, log: Logger): Journal {
  const fd = openSync(file, 'a')
  return {
    write: (entry) => {
      try {
        writeSync(fd, `${JSON.stringify(entry)}\n`)
      } catch (error) {
        log.error({ error: messageOf(error), file }, 'the journal could not be written')
      }
    },
    close: () => closeSync(fd),
  }
}
