import { closeSync, openSync, writeSync } from 'node:fs'
import { Fault, messageOf } from '#contract/fault.ts'
import type { FaultKind } from './faults/order.ts'

/** One read request that reached a simulated device, with the very words of the answer. */
export type ServedRead = {
  readonly site: string
  readonly unit: number
  readonly structure: string
  /** When the answer left, or would have, ms since 1970 UTC. */
  readonly t: number
  /** Function code: 3 or 4. */
  readonly fc: number
  readonly address: number
  readonly words: readonly number[]
  /** What withheld or broke the answer, so that nobody who checks it can have taken it. Absent where the words were served as they stand here. */
  readonly corrupted?: FaultKind | 'client_gone'
  /** The faults that changed these very words from what the device would have shown without them. */
  readonly distorted?: readonly FaultKind[]
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
