import { spawn } from 'node:child_process'
import { once } from 'node:events'
import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openRegistry } from '#registry/open.ts'
import { type RealServer, startPostgres } from '#test/support/servers.ts'
import { GATES, STEPS } from '../testing/flood-wave.ts'

const KILLS = 3
let server: RealServer
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

/** Runs the worker from `first` on, and kills it when so many steps are durable. @returns the last one that it told of. */
async function work(first: number, killAfter: number): Promise<number> {
  const worker = spawn(process.execPath, ['--import', 'tsx', 'ingest/testing/alarm-worker.ts', server.url, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(worker, 'exit')
  let last = first - 1
  for await (const chunk of worker.stdout) {
    last = Math.max(last, ...String(chunk).trim().split('\n').map(Number))
    if (last >= first + killAfter) worker.kill('SIGKILL')
  }
  await ended
  return last
}

test('ingest is killed again and again while a wave passes sixty gates: each alarm is raised once and returns once, none is lost', async () => {
  let last = -1
  for (let kills = 0; kills < KILLS; kills++) last = await work(last + 1, 12 + kills)
  expect(last).toBeLessThan(STEPS - 1)
  expect(await work(last + 1, STEPS)).toBe(STEPS - 1)
  const registry = await openRegistry(server.url, { log: pino({ level: 'silent' }), migrationsFolder: 'registry/migrations' })
  const { items } = await registry.alarms.journal({}, { limit: 10_000, offset: 0 })
  const all = items.toReversed().map((e) => `${e.alarm} ${e.event} ${e.occurrence}`)
  expect(new Set(all).size).toBe(all.length)
  // A rate is taken anew from each start, so it is not told whether one is seen.
  const told = all.filter((e) => !e.startsWith('level_rate'))
  const expected = GATES.flatMap((gate) =>
    ['level_guarantee', 'level_warning'].flatMap((kind) => [`${kind}:${gate} raised 1`, `${kind}:${gate} returned 1`]),
  )
  expect(told.toSorted()).toEqual(expected.toSorted())
  for (const alarm of expected.filter((e) => e.includes('raised')))
    expect(told.indexOf(alarm)).toBeLessThan(told.indexOf(alarm.replace('raised', 'returned')))
  await registry.close()
})
