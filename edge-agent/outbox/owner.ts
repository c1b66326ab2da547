import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault, systemCode } from '#contract/fault.ts'

/**
 * Who has the outbox open, in `owner.json` beside it. Two agents on one outbox would give the same batch id to different readings.
 * After an orderly end it holds the look of the data file instead: when that still matches, nothing needs to be checked.
 */
type Owner =
  | { readonly state: 'open'; readonly pid: number; readonly started: string }
  | { readonly state: 'closed'; readonly bytes: number; readonly modified_ms: number }

const FILE = 'owner.json'
const DATA = 'data.mdb'
const LENGTH = 256

/** Takes possession of the folder. @returns whether its data need a check. @throws Fault DATA_IN_USE */
export function claim(folder: string): 'new' | 'unchanged' | 'check' {
  const before = refuseOther(folder)
  const data = look(folder)
  writeOwner(folder, { state: 'open', pid: process.pid, started: startOf(process.pid) })
  if (!data) return 'new'
  const unchanged = before?.state === 'closed' && before.bytes === data.bytes && before.modified_ms === data.modified_ms
  return unchanged ? 'unchanged' : 'check'
}

/** @throws Fault DATA_IN_USE where an agent runs on this folder. */
export function refuseOther(folder: string): Owner | null {
  const before = readOwner(folder)
  if (before?.state === 'open' && before.started !== '' && before.started === startOf(before.pid)) {
    throw new Fault(
      'DATA_IN_USE',
      `the outbox ${folder} is in use by process ${before.pid}`,
      'stop that agent, or give this one an outbox.path of its own',
    )
  }
  return before
}

/** To be called when the data file is closed. */
export function release(folder: string): void {
  writeOwner(folder, { state: 'closed', ...(look(folder) ?? { bytes: 0, modified_ms: 0 }) })
}

/** After a failed start: the next one is to check. */
export function abandon(folder: string): void {
  writeOwner(folder, { state: 'closed', bytes: -1, modified_ms: 0 })
}

/** Makes the names in a folder survive a power cut: a new file's own sync does not. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function look(folder: string): { bytes: number; modified_ms: number } | null {
  const stat = statSync(join(folder, DATA), { throwIfNoEntry: false })
  return stat ? { bytes: stat.size, modified_ms: stat.mtimeMs } : null
}

function readOwner(folder: string): Owner | null {
  try {
    return JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as Owner
  } catch (error) {
    // None yet, or cut short by a power cut: then the data get their check.
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return null
    throw error
  }
}

/** In place and always of one length, so that it needs no room on a full disk. Cut short by a power cut, it means a check and no more. */
function writeOwner(folder: string, owner: Owner): void {
  const path = join(folder, FILE)
  const text = JSON.stringify(owner).padEnd(LENGTH)
  try {
    writeFileSync(path, text, { flag: 'r+' })
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    writeFileSync(path, text)
  }
}

/** Tells a process from a later one with the same number. Empty where the system has no /proc, or no such process. */
function startOf(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    // The command in brackets may hold spaces; the start time is the 20th field after it (proc(5)).
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return `${boot} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`
  } catch {
    return ''
  }
}
