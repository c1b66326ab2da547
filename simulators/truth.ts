import { closeSync, openSync, writeSync } from 'node:fs'
import { Fault, messageOf } from '#contract/fault.ts'

/** One read request that a simulated device answered, with the very words of the answer. */
export type ServedRead = {
  readonly site: string
  readonly unit: number
  readonly structure: string
  /** When it was served, ms since 1970 UTC. */
  readonly t: number
  /** Function code: 3 or 4. */
  readonly fc: number
  readonly address: number
  readonly words: readonly number[]
}
export type TruthLog = { record(read: ServedRead): void; close(): void }

/**
 * Appends one JSON line for each read, in the kernel's hands before the answer leaves: what a client was told is in the file, whatever is killed.
 * @throws Fault CONFIG_INVALID when the file can't be opened.
 */
export function openTruthLog(file: string): TruthLog {
  const fd = openForAppend(file)
  return {
    record: (read) => {
      const line = Buffer.from(`${JSON.stringify(read)}\n`)
      for (let done = 0; done < line.length; ) done += writeSync(fd, line, done)
    },
    close: () => closeSync(fd),
  }
}

function openForAppend(file: string): number {
  try {
    return openSync(file, 'a')
  } catch (cause) {
    throw new Fault(
      'CONFIG_INVALID',
      `the truth file ${file} can't be opened: ${messageOf(cause)}`,
      'name a file in a folder that exists',
      { cause },
    )
  }
}
