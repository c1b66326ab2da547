import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Leases } from '#registry/leases.ts'
import { openRegistry } from '#registry/open.ts'
import type { Registry } from '#registry/port.ts'
import { copyRegistry } from '#test/support/registry-template.ts'
import { tempFolder, until } from '#test/support/servers.ts'
import { GroupLeases } from './group-leases.ts'

const LEASE_MS = 600
const folder = tempFolder('group-leases')
const log = pino({ level: 'silent' })
let registry: Registry
const closers: (() => unknown)[] = []
beforeAll(async () => {
  registry = await openRegistry(await copyRegistry(join(folder, 'registry')), { log, migrationsFolder: 'registry/migrations' })
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
afterAll(async () => {
  await registry.close()
  rmSync(folder, { recursive: true, force: true })
})

type Worker = { readonly leases: GroupLeases; readonly told: string[] }
async function start(worker: string, groups: string[], options: { of?: Leases; now?: () => number } = {}): Promise<Worker> {
  const told: string[] = []
  const leases = new GroupLeases({
    leases: options.of ?? registry.leases,
    settings: { worker, groups, lease_ms: LEASE_MS },
    log,
    now: options.now ?? (() => performance.now()),
    taken: async (group) => void told.push(`taken ${group}`),
    lost: async (group) => void told.push(`lost ${group}`),
  })
  await leases.start()
  closers.push(() => leases.close())
  return { leases, told }
}

test('two workers for every group: one takes them, the other stands by and takes over when the first gives them back', async () => {
  const a = await start('a', ['+'])
  const b = await start('b', ['+'])
  expect(a.told).toEqual(['taken +', 'taken null'])
  expect([a.leases.holds('yichang'), a.leases.holds(null)]).toEqual([true, true])
  expect(b.told).toEqual([])
  expect([b.leases.holds('yichang'), b.leases.holds(null)]).toEqual([false, false])
  await a.leases.close()
  await until(async () => expect(b.told).toEqual(['taken +', 'taken null']))
})

test('of two workers with groups of their own each has its own, and one of them alone tells of the broker', async () => {
  const [a, b] = [await start('a', ['x']), await start('b', ['y', 'x'])]
  expect([a.leases.holds('x'), a.leases.holds('y'), b.leases.holds('x'), b.leases.holds('y')]).toEqual([true, false, false, true])
  expect([a.leases.holds(null), b.leases.holds(null)]).toEqual([true, false])
})

test('a worker that was started again under its name has its groups at once, though it gave nothing back', async () => {
  await registry.leases.take('ingest:z', 'a', 3_600_000)
  const a = await start('a', ['z'])
  expect(a.told).toEqual(['taken z', 'taken null'])
})

test('a worker that stood still believes nothing that it hears until the registry has said whose its groups are, and gives up what another has', async () => {
  let now = 0
  const answers: (() => void)[] = []
  const slow: Leases = {
    ...registry.leases,
    take: async (...asked) => {
      if (now > 0) await new Promise<void>((resolve) => answers.push(resolve))
      return await registry.leases.take(...asked)
    },
  }
  const a = await start('a', ['s'], { of: slow, now: () => now })
  expect(a.leases.isSure).toBe(true)
  now = 10 * LEASE_MS
  expect(a.leases.isSure).toBe(false)
  await registry.leases.giveBack('ingest:s', 'a')
  expect(await registry.leases.take('ingest:s', 'other', 3_600_000)).toBeGreaterThan(0)
  await until(async () => expect(answers).toHaveLength(1))
  // Its timers run again, but the registry has not answered.
  expect(a.leases.isSure).toBe(false)
  answers.shift()?.()
  await until(async () => expect(a.told).toContain('lost s'))
  const answering = setInterval(() => answers.shift()?.(), 20)
  closers.push(() => clearInterval(answering))
  await until(async () => expect(a.leases.isSure).toBe(true))
  expect(a.leases.holds('s')).toBe(false)
})

test('while the registry is away a worker goes on with its groups, and takes none', async () => {
  let isAway = false
  const away: Leases = {
    ...registry.leases,
    take: async (...asked) => {
      if (isAway) throw new Error('away')
      return await registry.leases.take(...asked)
    },
  }
  const a = await start('a', ['g'], { of: away })
  isAway = true
  await sleep(2 * LEASE_MS)
  expect([a.leases.holds('g'), a.leases.isSure]).toEqual([true, true])
  expect(a.told).toEqual(['taken g', 'taken null'])
  isAway = false
})
