import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, afterEach, expect, test } from 'vitest'
import type { BatchId } from '#contract/batch.ts'
import { Fault } from '#contract/fault.ts'
import { bad, good, type Reading } from '#contract/reading.ts'
import { unixMs } from '#contract/units.ts'
import { bundled } from '#test/support/bundle.ts'
import { tempFolder } from '#test/support/servers.ts'
import { type Batch, Outbox } from './outbox.ts'

const log = pino({ level: 'silent' })
const root = join(import.meta.dirname, '..', '..')
const script = bundled('append-forever', "import './edge-agent/outbox/append-forever.ts'")
afterAll(() => rmSync(script))
const node = [process.execPath, script] as const

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
function folder(): string {
  const path = tempFolder('durability')
  closers.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}
const openOutbox = async (path: string): Promise<Outbox> => {
  const outbox = await Outbox.open({ path, max_bytes: 2 ** 28, log })
  for (const device of ['a', 'b']) await outbox.aliases.claim(device, ['level_up'])
  return outbox
}
const takeOldest = async (outbox: Outbox): Promise<Batch | undefined> => (await outbox.take('backlog')) ?? (await outbox.take('present'))
async function takeAll(outbox: Outbox): Promise<Batch[]> {
  const batches: Batch[] = []
  for (let b = await takeOldest(outbox); b; b = await takeOldest(outbox)) batches.push(b)
  return batches
}
const valuesOf = (batch: Batch): number[] =>
  batch.samples.map((s) => s.readings.get('level_up') ?? bad('no_value')).map((r) => (r.quality === 'good' ? r.value : Number.NaN))

/** strace cuts a call in two when another thread's comes between: a sync counts when it has ended, a write when it began. */
function completed(lines: readonly string[]): string[] {
  const begun = new Map<string, string>()
  return lines.flatMap((line) => {
    const [pid = ''] = line.split(' ')
    const head = line.split(' <unfinished ...>')[0] ?? ''
    if (head !== line) {
      begun.set(pid, head)
      return /sync\(/.test(head) ? [] : [head]
    }
    const rest = /<\.\.\. \w+ resumed>(.*)$/.exec(line)?.[1]
    if (rest === undefined) return [line]
    const whole = `${begun.get(pid) ?? ''}${rest}`
    return /sync\(/.test(whole) ? [whole] : []
  })
}

test('an append is confirmed only after its data have been synced to the disk', ({ skip }) => {
  if (!existsSync('/usr/bin/strace')) skip('strace is not installed')
  const path = folder()
  const trace = join(path, 'trace')
  const calls = 'trace=write,writev,pwrite64,pwritev,fdatasync,fsync,msync'
  const run = spawnSync('/usr/bin/strace', ['-f', '-y', '-e', calls, '-o', trace, ...node, join(path, 'outbox'), '0', '20'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (/ptrace.*not permitted/i.test(run.stderr)) skip('strace is not allowed here')
  expect(run.status, run.stderr).toBe(0)

  const lines = completed(readFileSync(trace, 'utf8').split('\n'))
  const indexOf = (what: string): number => lines.findIndex((l) => l.includes(`"${what}\\n"`))
  for (let n = 0; n < 20; n += 2) {
    const call = lines.slice(indexOf(`BEGIN ${n}`), indexOf(`KEPT ${n}`)).filter((l) => l.includes('data.mdb'))
    // lmdb has two descriptors: pages go through one and are synced; the meta page that makes them valid goes through one with O_DSYNC.
    const synced = call.findIndex((l) => /(fdatasync|fsync|msync)\(.* = 0$/.test(l))
    expect(synced, call.join('\n')).toBeGreaterThanOrEqual(0)
    const after = call.slice(synced + 1)
    const metaFd = /pwrite64\((\d+)</.exec(after[0] ?? '')?.[1]
    expect(after, 'one write after the sync: the meta page').toHaveLength(1)
    const pagesFd = /sync\((\d+)</.exec(call[synced] ?? '')?.[1]
    expect(metaFd).not.toBe(pagesFd)
    for (const line of call.slice(0, synced)) expect(line).toMatch(new RegExp(`write\\w*\\(${pagesFd}<`))
  }
})

test('the meta page is written through a descriptor with O_DSYNC', ({ skip }) => {
  if (!existsSync('/usr/bin/strace')) skip('strace is not installed')
  const path = folder()
  const trace = join(path, 'trace')
  const run = spawnSync('/usr/bin/strace', ['-f', '-e', 'trace=openat', '-o', trace, ...node, join(path, 'outbox'), '0', '1'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (/ptrace.*not permitted/i.test(run.stderr)) skip('strace is not allowed here')
  expect(run.status, run.stderr).toBe(0)
  expect(readFileSync(trace, 'utf8')).toMatch(/data\.mdb", O_WRONLY\|O_DSYNC/)
})

/** Runs the appending process and ends it as a power cut would, `afterMs` after its first append. */
async function killWhileAppending(path: string, from: number, afterMs: number): Promise<string[]> {
  const [command, ...args] = node
  const child = spawn(command, [...args, path, String(from)], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      const first = said === ''
      said += chunk.toString()
      if (first) void sleep(afterMs).then(() => child.kill('SIGKILL'))
    })
    child.once('close', () => resolve())
  })
  return said.split('\n').slice(0, -1)
}

test('every confirmed append is there after a kill at any instant, and an id never names other readings', async () => {
  const path = join(folder(), 'outbox')
  const kept = new Set<number>()
  const sent = new Map<string, string>()
  const dropped = new Set<number>()
  let [next, kills] = [0, 0]
  for (; kills < 12; kills++) {
    const lines = await killWhileAppending(path, next, Math.random() * 120)
    for (const [what, first = '', values = ''] of lines.map((l) => l.split(' '))) {
      if (what === 'BEGIN') next = Math.max(next, Number(first) + 2)
      if (what === 'KEPT') kept.add(Number(first))
      if (what !== 'SENT') continue
      expect(values, `batch ${first}`).toBe(sent.get(first) ?? values)
      sent.set(first, values)
      for (const v of values.split(',')) dropped.add(Number(v))
    }
    next += next % 2
  }
  expect(kept.size).toBeGreaterThan(kills * 2)

  const outbox = await openOutbox(path)
  closers.push(() => outbox.close())
  const batches = await takeAll(outbox)
  const found = new Set(batches.flatMap(valuesOf))
  expect([...kept].filter((n) => !found.has(n) && !dropped.has(n))).toEqual([])
  for (const b of batches) expect(valuesOf(b).join(','), `batch ${b.id}`).toBe(sent.get(String(b.id)) ?? valuesOf(b).join(','))
  const times = batches.filter((b) => b.device === 'a').flatMap((b) => b.samples.map((s) => s.t))
  expect(new Set(times).size).toBe(times.length)
}, 120_000)

/** A file system of `kB`, or undefined where none can be mounted. */
function smallDisk(kB: number): string | undefined {
  const path = folder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kB}k`, 'tmpfs', path], { stdio: 'pipe' })
  } catch {
    return undefined
  }
  closers.push(() => execFileSync('umount', ['-l', path]))
  mkdirSync(join(path, 'outbox'))
  return join(path, 'outbox')
}

test('a full disk is told, loses nothing that was kept, and receipts make room on it again', async ({ skip }) => {
  const level = (n: number): ReadonlyMap<string, Reading> => new Map([['level_up', good(n)]])
  for (let spare_kB = 500; spare_kB < 560; spare_kB += 6) {
    const path = smallDisk(4096)
    if (path === undefined) {
      skip('a small file system can not be mounted here')
      return
    }
    const outbox = await openOutbox(path)
    const { bavail, bsize } = statfsSync(path)
    writeFileSync(join(path, '..', 'other-data'), Buffer.alloc(bavail * bsize - spare_kB * 1024))
    const kept: number[] = []
    const refused: unknown[] = []
    for (let n = 0; refused.length < 20; n++) {
      const append = outbox.append('a', unixMs(1_700_000_000_000 + n), level(n)).then(
        () => kept.push(n),
        (error: unknown) => refused.push(error),
      )
      if (n % 10 === 0) await append
    }
    await outbox.close()
    expect(new Set(refused.map((e) => (e instanceof Fault ? e.code : e)))).toEqual(new Set(['DISK_FULL']))
    writeFileSync(join(path, '..', 'more-data'), Buffer.alloc(statfsSync(path).bavail * bsize))
    expect(statfsSync(path).bavail).toBe(0)

    const again = await openOutbox(path)
    for (let i = 0; i < 20; i++) await again.nextBdSeq()
    const batches = await takeAll(again)
    expect(batches.flatMap(valuesOf)).toEqual(kept)
    for (let i = 0; i < batches.length; i += 4) {
      const receipted = batches.slice(i, i + 4).map((b): BatchId => b.id)
      expect(await again.drop(receipted)).toBe(receipted.length)
    }
    for (let n = 0; n < 500; n++) await again.append('a', unixMs(1_800_000_000_000 + n), level(n))
    expect(again.stats().pending).toBe(500)
    await again.close()
  }
})
