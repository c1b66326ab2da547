import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { Fault, messageOf, systemCode } from '#contract/fault.ts'

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
 * @throws Fault CONFIG_UNREADABLE where there is no such folder, DATA_IN_USE where InfluxDB runs, DATA_CORRUPT for a file that is no such log, DISK_FULL
 * where a copy has no room; nothing of that file is changed then.
 */
export function mendWal(folder: string): Mended[] {
  const files = logsBelow(folder)
  requireUnused(files)
  return files.flatMap((file) => {
    const found = entriesOf(readFileSync(file), file)
    const { half_bytes, hole_bytes } = found
    if (half_bytes + hole_bytes === 0) return []
    mend(file, found)
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

type Found = Omit<Mended, 'file'> & { readonly entries: readonly Buffer[] }

function entriesOf(bytes: Buffer, file: string): Found {
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

/** Half an entry is cut off where it stands, since a disk that is still full has no room for a copy; a hole takes a copy. */
function mend(file: string, { entries, half_bytes, hole_bytes }: Found): void {
  if (hole_bytes > 0) replace(file, entries)
  else syncedAfter(file, 'r+', (fd) => ftruncateSync(fd, statSync(file).size - half_bytes))
}

/** Whole or not at all, with the owner and the rights of the file before. @throws Fault DISK_FULL */
function replace(file: string, entries: readonly Buffer[]): void {
  const { mode, uid, gid } = statSync(file)
  const next = `${file}.mended`
  try {
    syncedAfter(next, 'w', (fd) => {
      writeFileSync(fd, Buffer.concat(entries))
      fchmodSync(fd, mode)
      if (process.getuid?.() === 0) fchownSync(fd, uid, gid)
    })
  } catch (cause) {
    rmSync(next, { force: true })
    if (systemCode(cause) !== 'ENOSPC') throw cause
    throw new Fault('DISK_FULL', `there is no room to mend ${file}`, 'make room, then mend it again before InfluxDB starts', { cause })
  }
  renameSync(next, file)
  syncedAfter(dirname(file), 'r', () => undefined)
}

function syncedAfter(path: string, flags: string, work: (fd: number) => void): void {
  const fd = openSync(path, flags)
  try {
    work(fd)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** What InfluxDB is writing at this moment looks like half an entry. @throws Fault DATA_IN_USE; of another user's process only root is told. */
function requireUnused(files: readonly string[]): void {
  const ours = new Set(files.map((file) => realpathSync(file)))
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const open = openFilesOf(pid).find((file) => ours.has(file))
    if (open !== undefined)
      throw new Fault('DATA_IN_USE', `process ${pid} holds ${open} open`, 'end InfluxDB first: systemctl stop influxdb')
  }
}

function openFilesOf(pid: string): string[] {
  try {
    const folder = join('/proc', pid, 'fd')
    return readdirSync(folder).flatMap((fd) => linkOf(join(folder, fd)) ?? [])
  } catch {
    // Ended meanwhile, or of another user.
    return []
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
