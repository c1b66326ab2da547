import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'

export type Verdict =
  | { readonly kind: 'sound' }
  | { readonly kind: 'corrupt'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string }

const CORRUPT = 3
/** How a process ends on a mapped file that is damaged or cut short. */
const CRASHES: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGILL', 'SIGFPE', 'SIGTRAP'])

// Walks every entry, compares their number with the one on record, and writes once, which uses the list of free pages.
const SCRIPT = `
const [, lmdb, path, ...names] = process.argv
const { open } = require(lmdb)
// lmdb's own errors are negative, the system's (no space, no permission) positive.
const verdict = (e) => { console.error(String(e && e.message)); process.exit(e && e.code < 0 ? ${CORRUPT} : 1) }
try {
  const root = open({ path, noSubdir: false, overlappingSync: false, eventTurnBatching: false, maxDbs: 8, encoding: 'binary' })
  for (const name of names) {
    const db = root.openDB(name, { encoding: 'binary' })
    let entries = 0, bytes = 0
    for (const { value } of db.getRange({})) { entries += 1; for (let i = 0; i < value.length; i += 1024) bytes += value[i] }
    const { entryCount } = db.getStats()
    if (entries !== entryCount) verdict({ message: name + ' holds ' + entries + ' entries, not ' + entryCount, code: -1 })
  }
  root.openDB('check', { encoding: 'binary' }).put('checked', Buffer.from('1')).then(
    () => process.exit(0),
    (e) => Promise.resolve(e.commitError).then(() => process.exit(1), verdict),
  )
} catch (e) {
  verdict(e)
}
`

// A whole fleet may start in one process after a power cut, and each check is a process of some 50 MB.
const MOST_AT_ONCE = 2
const waiting: (() => void)[] = []
let running = 0

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= MOST_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
  running += 1
  try {
    return await work()
  } finally {
    running -= 1
    waiting.shift()?.()
  }
}

/**
 * Looks through an lmdb folder that no one has open. A damaged file can end the process that maps it (seen: SIGSEGV, SIGBUS), so another
 * process does it. Only what lmdb itself finds damaged is `corrupt`; that the check could not run is not.
 */
export async function checkData(path: string, databases: readonly string[]): Promise<Verdict> {
  return await inTurn(() => check(path, databases))
}

async function check(path: string, databases: readonly string[]): Promise<Verdict> {
  const lmdb = createRequire(import.meta.url).resolve('lmdb')
  const child = spawn(process.execPath, ['--input-type=commonjs', '-e', SCRIPT, lmdb, path, ...databases], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000)
  })
  return await new Promise((resolve) => {
    child.once('error', (error) => resolve({ kind: 'unknown', why: error.message }))
    child.once('close', (code, signal) => {
      if (code === 0) resolve({ kind: 'sound' })
      else if (code === CORRUPT || (signal !== null && CRASHES.has(signal))) resolve({ kind: 'corrupt', why: signal ?? said.trim() })
      else resolve({ kind: 'unknown', why: signal ?? (said.trim() || `exit code ${code}`) })
    })
  })
}
