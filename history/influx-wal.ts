import { closeSync, fchownSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Fault, messageOf } from '#contract/fault.ts'

/**
 * The write-ahead log of InfluxDB 1.x after a full disk. Its last entry is half-written, and InfluxDB does not get over that by itself: at its start
 * it takes its place for new entries behind the half one, then cuts the file before it. What it confirms from then on stands behind a hole of zeros,
 * and is cut off at the start after that. A log without half entry and hole is read whole.
 */

/** Byte of type (1 write, 2 delete, 3 delete of a range), length of the rest as 32 bits big-endian, the rest compressed: tsdb/engine/tsm1/wal.go of 1.6. */
const TYPES = [1, 2, 3]
const HEAD_BYTES = 5

export type Mended = {
  readonly file: string
  /** Bytes of a half-written entry at the end. */
  readonly half_bytes: number
  /** Zeros between entries. */
  readonly hole_bytes: number
}

/**
 * Takes half-written entries and holes out of every log below `folder`; InfluxDB must not run.
 * @returns the files that were mended.
 * @throws Fault CONFIG_UNREADABLE where there is no such folder, DATA_CORRUPT for a file that is no such log; nothing of that file is changed then.
 */
export function mendWal(folder: string): Mended[] {
  return logsBelow(folder).flatMap((file) => {
    const bytes = readFileSync(file)
    const { entries, half_bytes, hole_bytes } = entriesOf(bytes, file)
    if (half_bytes + hole_bytes === 0) return []
    replace(file, entries)
    return [{ file, half_bytes, hole_bytes }]
  })
}

function logsBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /(^|\/)_\d+\.wal$/.test(name))
      .map((name) => join(folder, name))
      .sort()
  } catch (cause) {
    throw new Fault('CONFIG_UNREADABLE', `the folder ${folder} can't be read: ${messageOf(cause)}`, 'name wal-dir of influxdb.conf', {
      cause,
    })
  }
}

function entriesOf(bytes: Buffer, file: string): { entries: Buffer[]; half_bytes: number; hole_bytes: number } {
  const entries: Buffer[] = []
  let [at, hole_bytes] = [0, 0]
  while (at < bytes.length) {
    const type = bytes[at] ?? 0
    if (type === 0) {
      hole_bytes += 1
      at += 1
      continue
    }
    if (!TYPES.includes(type)) {
      throw new Fault('DATA_CORRUPT', `${file} has no entry at byte ${at}`, 'keep a copy of the folder and restore a backup')
    }
    const end = at + HEAD_BYTES <= bytes.length ? at + HEAD_BYTES + bytes.readUInt32BE(at + 1) : Number.POSITIVE_INFINITY
    if (end > bytes.length) return { entries, half_bytes: bytes.length - at, hole_bytes }
    entries.push(bytes.subarray(at, end))
    at = end
  }
  return { entries, half_bytes: 0, hole_bytes }
}

/** Whole or not at all, with the owner and the rights of the file before. */
function replace(file: string, entries: readonly Buffer[]): void {
  const { mode, uid, gid } = statSync(file)
  const next = `${file}.mended`
  const fd = openSync(next, 'w', mode)
  try {
    writeSync(fd, Buffer.concat(entries))
    fsyncSync(fd)
    if (process.getuid?.() === 0) fchownSync(fd, uid, gid)
  } finally {
    closeSync(fd)
  }
  renameSync(next, file)
  const folder = openSync(dirname(file), 'r')
  fsyncSync(folder)
  closeSync(folder)
}
